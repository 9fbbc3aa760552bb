import { act, cleanup, fireEvent, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { PluginMount, PluginWidget } from "../../src/widgets/field_props";
import { portOf, show } from "./field_kit";

afterEach(cleanup);

const port = portOf({ type: "number" }, { name: "angle", widget: "dial" });

/** A button that adds one, as a pack might write it. */
const dial = (more: Partial<PluginWidget> = {}): PluginWidget => ({
  pack: "dials",
  mount(element, told) {
    const button = document.createElement("button");
    button.textContent = `angle ${told.value}`;
    button.addEventListener("click", () => told.onChange(Number(told.value) + 1));
    element.append(button);
    return {
      update(value) {
        button.textContent = `angle ${value}`;
      },
    };
  },
  ...more,
});

describe("a pack's own widget", () => {
  it("shows and changes the value", () => {
    const shown = show(port, 1, { context: { plugin: dial() } });
    fireEvent.click(screen.getByRole("button", { name: "angle 1" }));
    expect(shown.given).toEqual([[2, true]]);
  });

  it("is not told the values that it gave itself", () => {
    const update = vi.fn();
    let told: PluginMount | undefined;
    const mount: PluginWidget["mount"] = (_, given) => {
      told = given;
      return { update };
    };
    show(port, 1, { context: { plugin: { mount } } });
    act(() => told?.onChange(5));
    expect(update).not.toHaveBeenCalled();
  });

  it("asks for another height on the canvas, within bounds", () => {
    const resize = vi.fn();
    let told: PluginMount | undefined;
    const mount: PluginWidget["mount"] = (_, given) => {
      told = given;
      return { update: () => undefined };
    };
    show(port, 1, { place: "node", context: { plugin: { mount }, resize } });
    told?.resize(120.4);
    told?.resize(5);
    told?.resize(Number.POSITIVE_INFINITY);
    told?.resize(Number.NaN);
    expect(resize.mock.calls).toEqual([[120], [48], [800]]);
    cleanup();
    show(port, 1, { place: "form", context: { plugin: { mount }, resize } });
    told?.resize(300);
    expect(resize).toHaveBeenCalledTimes(3);
  });

  it("is told that it leaves, and changes nothing after", () => {
    let told: PluginMount | undefined;
    const mount: PluginWidget["mount"] = (_, given) => {
      told = given;
      return { update: () => undefined };
    };
    const shown = show(port, 1, { context: { plugin: { mount } } });
    cleanup();
    expect(told?.signal.aborted).toBe(true);
    told?.onChange(9);
    expect(shown.given).toEqual([]);
  });

  it("that fails says so in its field, where the value can still be edited", () => {
    const mount = () => {
      throw new Error("no canvas here");
    };
    const shown = show(port, 1, { context: { plugin: dial({ mount }) } });
    expect(screen.getByRole("alert").textContent).toBe(
      "The widget of pack dials failed: no canvas here.",
    );
    fireEvent.click(screen.getByRole("button", { name: "Edit as JSON" }));
    const area = screen.getByRole("textbox", { name: "angle" });
    fireEvent.change(area, { target: { value: "7" } });
    fireEvent.blur(area);
    expect(shown.value()).toBe(7);
  });

  it("that fails while it handles an event says so too", () => {
    show(port, 1, { context: { plugin: dial() } });
    const button = screen.getByRole("button", { name: "angle 1" });
    button.addEventListener("keydown", () => {
      // What a browser does with an error of a handler.
      window.dispatchEvent(new ErrorEvent("error", { error: new Error("no such key") }));
    });
    act(() => {
      fireEvent.keyDown(button, { key: "x" });
    });
    expect(screen.getByRole("alert").textContent).toContain("no such key.");
  });

  it("is tried again on wish", () => {
    const mount = vi.fn(dial().mount).mockImplementationOnce(() => {
      throw new Error("once");
    });
    show(port, 1, { context: { plugin: dial({ mount }) } });
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(screen.getByRole("button", { name: "angle 1" })).toBeTruthy();
  });

  it("that is not there leaves plain JSON", () => {
    show(port, 1);
    expect((screen.getByRole("textbox", { name: "angle" }) as HTMLTextAreaElement).value).toBe("1");
  });
});
