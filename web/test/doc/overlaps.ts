import type { Box } from "../../src/doc/geometry";

/** How many pairs of boxes lie over each other. */
export const overlaps = (boxes: readonly Box[]): number => {
  let count = 0;
  for (const [index, a] of boxes.entries()) {
    for (const b of boxes.slice(index + 1)) {
      const apart =
        a.x >= b.x + b.width ||
        b.x >= a.x + a.width ||
        a.y >= b.y + b.height ||
        b.y >= a.y + a.height;
      if (!apart) count += 1;
    }
  }
  return count;
};
