import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { IconButton } from "../../src/ui/Button";
import { ContextMenu } from "../../src/ui/ContextMenu";
import { Menu, MenuAt, type MenuItem } from "../../src/ui/Menu";

afterEach(cleanup);

function itemsOf(run: () => void): readonly MenuItem[] {
  return [
    { label: "Copy", keys: "Mod+C", icon: "copy", run },
    { label: "Snap", checked: true, run },
    "separator",
    { heading: "More" },
    { label: "Align", submenu: [{ label: "Left", run }] },
    { label: "Delete", danger: true, disabled: true, run },
  ];
}

const open = (name: string) =>
  fireEvent.keyDown(screen.getByRole("button", { name }), { key: "Enter" });

describe("a menu", () => {
  it("shows its items with their shortcuts, and runs the one that is chosen", () => {
    const run = vi.fn();
    render(<Menu items={itemsOf(run)} trigger={<IconButton icon="more" label="More" />} />);
    open("More");
    const copy = screen.getByRole("menuitem", { name: "Copy" });
    expect(copy.textContent).toBe("CopyCtrl+C");
    expect(copy.getAttribute("aria-keyshortcuts")).toBe("Control+C");
    fireEvent.click(copy);
    expect(run).toHaveBeenCalledOnce();
    expect(screen.queryByRole("menu")).toBeNull();
  });

  it("tells what is on, and what cannot be done", () => {
    const run = vi.fn();
    render(<Menu items={itemsOf(run)} trigger={<IconButton icon="more" label="More" />} />);
    open("More");
    const snap = screen.getByRole("menuitemcheckbox", { name: "Snap" });
    expect(snap.getAttribute("aria-checked")).toBe("true");
    fireEvent.click(screen.getByRole("menuitem", { name: "Delete" }));
    expect(run).not.toHaveBeenCalled();
  });

  it("has menus inside", () => {
    const run = vi.fn();
    render(<Menu items={itemsOf(run)} trigger={<IconButton icon="more" label="More" />} />);
    open("More");
    fireEvent.keyDown(screen.getByRole("menuitem", { name: "Align" }), { key: "Enter" });
    fireEvent.click(screen.getByRole("menuitem", { name: "Left" }));
    expect(run).toHaveBeenCalledOnce();
  });

  it("keeps its keys from what it lies in", () => {
    const seen = vi.fn();
    render(
      // biome-ignore lint/a11y/noStaticElementInteractions: it stands for the canvas
      <div onKeyDown={seen}>
        <ContextMenu items={itemsOf(() => undefined)}>
          <p>Node</p>
        </ContextMenu>
      </div>,
    );
    fireEvent.contextMenu(screen.getByText("Node"));
    fireEvent.keyDown(screen.getByRole("menu"), { key: "Delete" });
    expect(seen).not.toHaveBeenCalled();
  });
});

function Canvas({ run }: { readonly run: () => void }) {
  const [at, setAt] = useState<{ x: number; y: number } | null>(null);
  return (
    <>
      <button
        type="button"
        onContextMenu={(event) => setAt({ x: event.clientX, y: event.clientY })}
      >
        Node
      </button>
      <MenuAt at={at} items={itemsOf(run)} onClose={() => setAt(null)} label="Of the node" />
    </>
  );
}

it("a menu at a point closes when it is done, and the focus goes back", async () => {
  const run = vi.fn();
  render(<Canvas run={run} />);
  const node = screen.getByRole("button", { name: "Node" });
  node.focus();
  fireEvent.contextMenu(node, { clientX: 40, clientY: 50 });
  fireEvent.click(screen.getByRole("menuitem", { name: "Copy" }));
  expect(run).toHaveBeenCalledOnce();
  await vi.waitFor(() => expect(screen.queryByRole("menu")).toBeNull());
  await vi.waitFor(() => expect(document.activeElement).toBe(node));
});
