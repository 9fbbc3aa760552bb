import { expect, it } from "vitest";
import { changeWeight } from "../../src/widgets/weights";

const change = (text: string, from: number, to: number, up: boolean) => {
  const next = changeWeight({ text, from, to }, up);
  return [next.text, next.text.slice(next.from, next.to)];
};

it.each([
  ["selected words", "a red fox", 2, 9, true, "a (red fox:1.1)", "(red fox:1.1)"],
  ["the word at the caret", "a red fox", 3, 3, false, "a (red:0.9) fox", "(red:0.9)"],
  ["brackets around the caret", "a (red fox:1.1)", 5, 5, true, "a (red fox:1.2)", "(red fox:1.2)"],
  ["words inside brackets", "a (red:1.2) fox", 3, 6, true, "a (red:1.3) fox", "(red:1.3)"],
  ["a weight of 1 again", "a (red:1.1) fox", 2, 11, false, "a red fox", "red"],
  ["no spaces at the ends", "a red fox", 1, 6, true, "a (red:1.1) fox", "(red:1.1)"],
  ["nothing where there is nothing", "a  fox", 2, 2, true, "a  fox", ""],
] as const)("weighs %s", (_, text, from, to, up, made, selected) => {
  expect(change(text, from, to, up)).toEqual([made, selected]);
});
