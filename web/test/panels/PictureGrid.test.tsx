import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Picture } from "../../src/gen/api";
import { PictureGrid, stepOf } from "../../src/panels/PictureGrid";

afterEach(cleanup);

const pictures = Array.from({ length: 500 }, (_, at) => ({
  digest: `digest ${at}`,
  name: `picture ${at}`,
})) as unknown as readonly Picture[];

function show(onEnd = () => {}) {
  render(
    <PictureGrid
      label="Pictures"
      pictures={pictures}
      onEnd={onEnd}
      tile={(picture, place) => (
        <button type="button" {...place}>
          {picture.name}
        </button>
      )}
    />,
  );
}

const focused = () => document.activeElement?.textContent;

describe("a grid of pictures", () => {
  it("draws only the rows in sight", () => {
    show();
    expect(screen.getAllByRole("button").length).toBeLessThan(60);
    const grid = screen.getByRole("grid", { name: "Pictures" });
    expect(grid.getAttribute("aria-rowcount")).toBe("167");
  });

  it("is walked by arrows, also to where nothing was drawn yet", () => {
    const onEnd = vi.fn();
    show(onEnd);
    screen.getByRole("button", { name: "picture 0" }).focus();
    const press = (key: string) => fireEvent.keyDown(document.activeElement as Element, { key });
    press("ArrowDown");
    expect(focused()).toBe("picture 3");
    press("ArrowRight");
    expect(focused()).toBe("picture 4");
    expect(onEnd).not.toHaveBeenCalled();
    press("End");
    expect(focused()).toBe("picture 499");
    expect(onEnd).toHaveBeenCalledOnce();
    press("Home");
    expect(focused()).toBe("picture 0");
  });
});

it.each([
  ["ArrowUp", 1, 1],
  ["ArrowUp", 4, 1],
  ["ArrowDown", 8, 8],
  ["ArrowLeft", 0, 0],
  ["ArrowRight", 9, 9],
  ["x", 4, null],
])("%s from %i of ten in rows of three leads to %s", (key, at, to) => {
  expect(stepOf(key, at, 3, 10)).toBe(to);
});
