import { expect, it } from "vitest";
import { maskedName } from "../../src/panels/mask/mask_files";

it.each([
  ["fox.jpg", "fox-masked.png"],
  ["my/holiday.2024.png", "holiday.2024-masked.png"],
  ["uploads/fox-1a2b3c4d.webp", "fox-masked.png"],
  ["uploads/fox-masked-1a2b3c4d.png", "fox-masked.png"],
  ["deadbeef-1a2b3c4d.png", "deadbeef-1a2b3c4d-masked.png"],
])("%s with a mask is called %s, however often it is painted on", (name, masked) => {
  expect(maskedName(name)).toBe(masked);
});
