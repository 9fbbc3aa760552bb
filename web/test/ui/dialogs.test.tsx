import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Button } from "../../src/ui/Button";
import { createQuestions } from "../../src/ui/confirm";
import { Dialog } from "../../src/ui/Dialog";
import { adoptNonce } from "../../src/ui/nonce";
import { TextField } from "../../src/ui/TextField";
import { createToasts } from "../../src/ui/toasts_store";
import { UiProvider } from "../../src/ui/UiProvider";

afterEach(cleanup);

function Opener() {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>Open</Button>
      <Dialog
        open={open}
        onOpenChange={setOpen}
        title="Save as"
        description="On the server."
        actions={<Button>Save</Button>}
      >
        <TextField label="Name" value="" onChange={() => undefined} />
      </Dialog>
    </>
  );
}

describe("a dialog", () => {
  it("has its name, begins on its first field, and gives the focus back", async () => {
    render(<Opener />);
    const button = screen.getByRole("button", { name: "Open" });
    button.focus();
    fireEvent.click(button);
    const dialog = screen.getByRole("dialog", { name: "Save as" });
    expect(
      document.getElementById(dialog.getAttribute("aria-describedby") ?? "")?.textContent,
    ).toBe("On the server.");
    expect(document.activeElement).toBe(screen.getByRole("textbox", { name: "Name" }));
    fireEvent.keyDown(document.activeElement ?? dialog, { key: "Escape" });
    await vi.waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    await vi.waitFor(() => expect(document.activeElement).toBe(button));
  });

  it("bears the nonce of the page in the style that it brings", () => {
    const meta = document.createElement("meta");
    meta.name = "csp-nonce";
    meta.content = "abc";
    document.head.append(meta);
    adoptNonce();
    render(<Opener />);
    fireEvent.click(screen.getByRole("button", { name: "Open" }));
    const styles = [...document.querySelectorAll("style")];
    expect(styles.length).toBeGreaterThan(0);
    expect(styles.every((style) => style.getAttribute("nonce") === "abc")).toBe(true);
    meta.remove();
  });
});

describe("a question", () => {
  it("is asked by code, and its answer awaited; the focus begins on no", async () => {
    const questions = createQuestions();
    render(
      <UiProvider toasts={createToasts()} questions={questions}>
        page
      </UiProvider>,
    );
    let answer: Promise<boolean> | undefined;
    act(() => {
      answer = questions.ask({ title: "Delete 3 pictures?", action: "Delete", danger: true });
    });
    expect(screen.getByRole("alertdialog", { name: "Delete 3 pictures?" })).toBeTruthy();
    expect(document.activeElement).toBe(screen.getByRole("button", { name: "Cancel" }));
    fireEvent.click(screen.getByRole("button", { name: "Delete" }));
    expect(await answer).toBe(true);
    expect(screen.queryByRole("alertdialog")).toBeNull();
  });

  it("waits until the one before is answered", async () => {
    const questions = createQuestions();
    const first = questions.ask({ title: "One?", action: "Yes" });
    const second = questions.ask({ title: "Two?", action: "Yes" });
    questions.answer(false);
    expect(await first).toBe(false);
    expect(questions.current()?.title).toBe("Two?");
    questions.answer(true);
    expect(await second).toBe(true);
  });
});

describe("messages", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    return () => vi.useRealTimers();
  });

  const showAll = () => {
    const toasts = createToasts();
    render(
      <UiProvider toasts={toasts} questions={createQuestions()}>
        page
      </UiProvider>,
    );
    return toasts;
  };

  it("go by themselves, but errors stay until they are closed", () => {
    const toasts = showAll();
    act(() => {
      toasts.show({ kind: "success", text: "Saved." });
      toasts.show({ kind: "error", text: "The server did not answer." });
    });
    expect(screen.getByRole("alert").textContent).toBe("The server did not answer.");
    act(() => vi.advanceTimersByTime(10_000));
    expect(screen.queryByText("Saved.")).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: "Dismiss" }));
    expect(toasts.list()).toEqual([]);
  });

  it("offer one thing to do", () => {
    const toasts = showAll();
    const run = vi.fn();
    act(() => void toasts.show({ kind: "info", text: "Deleted.", action: { label: "Undo", run } }));
    fireEvent.click(screen.getByRole("button", { name: "Undo" }));
    expect(run).toHaveBeenCalledOnce();
    expect(toasts.list()).toEqual([]);
  });

  it("are few, and no sentence stands twice", () => {
    const toasts = createToasts();
    for (const text of ["a", "a", "b", "c", "d", "e"]) toasts.show({ kind: "info", text });
    expect(toasts.list().map((toast) => toast.text)).toEqual(["b", "c", "d", "e"]);
  });
});
