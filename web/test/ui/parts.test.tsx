import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { IconButton } from "../../src/ui/Button";
import { ariaKeys, formatKeys, meansText } from "../../src/ui/keys";
import { markdownHtml } from "../../src/ui/markdown_html";
import { search, typedTo } from "../../src/ui/options";
import { SplitPanel } from "../../src/ui/Splitter";
import { SearchField } from "../../src/ui/TextField";
import { applyTheme } from "../../src/ui/theme";
import { VirtualList } from "../../src/ui/VirtualList";

afterEach(cleanup);

describe("shortcuts", () => {
  it.each([
    ["Mod+Shift+k", false, "Ctrl+Shift+K"],
    ["Mod+Shift+k", true, "⌘⇧K"],
    ["Ctrl++", false, "Ctrl++"],
    ["ArrowUp", false, "↑"],
    ["Escape", false, "Esc"],
  ])("%s is written as the keyboard does", (keys, mac, shown) => {
    expect(formatKeys(keys, mac)).toBe(shown);
  });

  it("are told to screen readers", () => {
    expect(ariaKeys("Mod+K", false)).toBe("Control+K");
    expect(ariaKeys("Mod+K", true)).toBe("Meta+K");
  });

  it("of a text are those that edit it", () => {
    const key = (name: string, ctrlKey = false) => ({
      key: name,
      ctrlKey,
      metaKey: false,
      altKey: false,
    });
    expect(["a", "Delete", " "].every((name) => meansText(key(name)))).toBe(true);
    expect(["z", "v", "ArrowLeft"].every((name) => meansText(key(name, true)))).toBe(true);
    expect(["Enter", "s", "k"].some((name) => meansText(key(name, true)))).toBe(false);
    expect(meansText(key("F1"))).toBe(false);
  });
});

it("an icon button has its name, its shortcut and its state", () => {
  render(<IconButton icon="grid" label="Grid" keys="Mod+G" pressed />);
  const button = screen.getByRole("button", { name: "Grid", pressed: true });
  expect(button.getAttribute("aria-keyshortcuts")).toBe("Control+G");
});

describe("Markdown", () => {
  const html = (text: string) => markdownHtml(text, { base: "http://here/app/" });

  it("shows raw HTML as text", () => {
    expect(html("a <b onclick=x>b</b>")).toBe("<p>a &lt;b onclick=x&gt;b&lt;/b&gt;</p>\n");
    expect(html("<script>x()</script>")).not.toContain("<script");
    expect(html('<img src=x onerror="y()">')).not.toContain("<img");
  });

  it("links to http(s) and to places of this server only", () => {
    expect(html("[a](https://example.com)")).toContain('rel="noopener noreferrer"');
    expect(html("[a](docs/b)")).toContain('href="docs/b"');
    for (const bad of [
      "javascript:x()",
      "JaVaScRiPt:x()",
      "data:text/html,x",
      "&#106;avascript:x()",
    ]) {
      expect(html(`[a](${bad})`)).not.toMatch(/href="(javascript|data):/i);
    }
    expect(html('[a](https://e.com/"onclick="x)')).not.toContain('"onclick=');
  });

  it("shows no picture of another host", () => {
    expect(html("![fox](https://example.com/fox.png)")).toBe("<p>fox</p>\n");
    expect(html("![fox](//example.com/fox.png)")).toBe("<p>fox</p>\n");
    expect(html("![fox](fox.png)")).toContain('src="http://here/app/fox.png"');
  });

  it("brings no style of its own, which the policy of the page would refuse", () => {
    expect(html("| a | b |\n|:-:|--:|\n| 1 | 2 |")).not.toContain("style=");
  });
});

describe("searching options", () => {
  const options = ["euler", "euler ancestral", "dpm euler", "heun"].map((label) => ({
    value: label,
    label,
  }));

  it("finds all words, beginnings first", () => {
    expect(search(options, "eul").map((one) => one.label)).toEqual([
      "euler",
      "euler ancestral",
      "dpm euler",
    ]);
    expect(search(options, "anc eu").map((one) => one.label)).toEqual(["euler ancestral"]);
  });

  it("walks through what begins with a letter that is typed again", () => {
    expect(typedTo(options, "e", 0)).toBe(1);
    expect(typedTo(options, "ee", 1)).toBe(0);
    expect(typedTo(options, "he", 0)).toBe(3);
    expect(typedTo(options, "x", 0)).toBe(-1);
  });
});

it("the edge of a panel is moved with arrows, within its limits", () => {
  const onSize = vi.fn();
  render(
    <SplitPanel side="right" label="Inspector" size={200} min={190} max={400} onSize={onSize}>
      inside
    </SplitPanel>,
  );
  const edge = screen.getByRole("separator", { name: "Size of Inspector" });
  fireEvent.keyDown(edge, { key: "ArrowLeft" });
  fireEvent.keyDown(edge, { key: "ArrowRight" });
  fireEvent.keyDown(edge, { key: "End" });
  expect(onSize.mock.calls).toEqual([
    [216, true],
    [190, true],
    [400, true],
  ]);
});

it("a long list draws only what is in sight, and says how long it is", () => {
  render(
    <VirtualList label="Numbers" count={10_000} rowHeight={20} row={(index) => `row ${index}`} />,
  );
  const rows = screen.getAllByRole("listitem");
  expect(rows.length).toBeLessThan(60);
  expect(rows[0]?.getAttribute("aria-setsize")).toBe("10000");
  const list = screen.getByRole("list", { name: "Numbers" });
  list.scrollTop = 4000;
  fireEvent.scroll(list);
  expect(screen.getByText("row 200")).toBeTruthy();
  expect(screen.queryByText("row 0")).toBeNull();
});

it("Escape empties a search before it closes what it lies in", () => {
  const seen = vi.fn();
  const onChange = vi.fn();
  render(
    // biome-ignore lint/a11y/noStaticElementInteractions: it stands for a dialog
    <div onKeyDown={seen}>
      <SearchField label="Search nodes" value="fox" onChange={onChange} />
    </div>,
  );
  fireEvent.keyDown(screen.getByRole("searchbox", { name: "Search nodes" }), { key: "Escape" });
  expect(onChange).toHaveBeenCalledWith("");
  expect(seen).not.toHaveBeenCalled();
});

it("the theme is the one chosen, or that of the system", () => {
  const root = document.createElement("div");
  applyTheme("light", root);
  expect(root.dataset.theme).toBe("light");
  const stop = applyTheme("system", root);
  expect(["dark", "light"]).toContain(root.dataset.theme);
  stop();
  applyTheme("dark", root);
  expect(root.dataset.theme).toBe("dark");
});
