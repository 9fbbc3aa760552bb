import { cleanup, render, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createStore } from "zustand/vanilla";
import { type Editor, EditorContext } from "../../src/editor";
import { ConnectionBanner } from "../../src/panels/ConnectionBanner";
import { NO_RUNS, type RunsState } from "../../src/store/runs_state";

afterEach(cleanup);

/** The banner while the server is away; `there` is what the next attempt comes to. */
function away(there: Promise<boolean>) {
  const runs = createStore<RunsState>(() => ({
    ...NO_RUNS,
    connection: { state: "offline", since: 1_700_000_000_000 },
  }));
  const say = vi.fn();
  const editor = { runs, ui: { say }, line: { tryNow: () => there } } as unknown as Editor;
  render(
    <EditorContext value={editor}>
      <ConnectionBanner />
    </EditorContext>,
  );
  return { say, runs };
}

describe("the banner of a server that is away", () => {
  it("asks at once, waits for the answer, and says it", async () => {
    let tell: (there: boolean) => void = () => undefined;
    const { say } = away(
      new Promise((done) => {
        tell = done;
      }),
    );
    const button = screen.getByRole<HTMLButtonElement>("button", { name: "Try now" });
    button.click();
    await waitFor(() => expect(button.disabled).toBe(true));
    tell(false);
    await waitFor(() => expect(say).toHaveBeenCalledWith("The server is still away."));
    await waitFor(() => expect(button.disabled).toBe(false));
  });

  it("goes when the server is back", async () => {
    const { runs } = away(Promise.resolve(true));
    expect(screen.getByRole("alert").textContent).toContain("The server is away since");
    runs.setState({ connection: { state: "online", since: 0 } });
    await waitFor(() => expect(screen.queryByRole("alert")).toBeNull());
  });
});
