import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clampTo, evaluate, formatNumber, type Limits, stepOf, tidy } from "../../src/doc/numbers";

const limits = (more: Partial<Limits> = {}): Limits => ({
  min: null,
  max: null,
  step: null,
  whole: false,
  ...more,
});

describe("a sum that is typed", () => {
  test.each([
    ["1024/2", 512],
    ["2*(3+4)", 14],
    ["1e3", 1000],
    ["-2^2", -4],
    ["2^3^2", 512],
    ["--3", 3],
    ["2*-3", -6],
    [" .5 + 1,5 ", 2],
    ["8-3-2", 3],
    ["−4×2", -8],
  ])("%s is %d", (text, value) => {
    expect(evaluate(text)).toBe(value);
  });

  test.each(["", " ", "1+", "2 3", "(1", "1)", "1/0", "abc", "50%", "alert(1)", "()", "1..2"])(
    "'%s' is none",
    (text) => {
      expect(evaluate(text)).toBeNull();
    },
  );

  test("says any number as it is written", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(evaluate(String(value))).toBe(value === 0 ? evaluate("0") : value);
      }),
    );
  });

  test("never fails, whatever is typed", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."0123456789.+-*/^()% e") }), (text) => {
        const value = evaluate(text);
        expect(value === null || Number.isFinite(value)).toBe(true);
      }),
    );
    expect(evaluate("(".repeat(5000))).toBeNull();
  });
});

test("a value is brought between its limits, and made whole", () => {
  expect(clampTo(7.6, limits({ max: 7.5 }))).toBe(7.5);
  expect(clampTo(7.6, limits({ whole: true }))).toBe(8);
  expect(clampTo(-1, limits({ min: 0, whole: true }))).toBe(0);
});

test("a step is what is declared, or suits the range", () => {
  expect(stepOf(limits({ step: 8, whole: true }), 64)).toBe(8);
  expect(stepOf(limits({ whole: true }), 64)).toBe(1);
  expect(stepOf(limits({ min: 0, max: 1 }), 0.5)).toBe(0.1);
  expect(stepOf(limits(), 1000)).toBe(1);
});

test("a number is shown without the dust of binary fractions", () => {
  expect(formatNumber(0.1 + 0.2)).toBe("0.3");
  expect(tidy(2 ** 53 - 1)).toBe(2 ** 53 - 1);
});
