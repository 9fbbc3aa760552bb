/** Curves as values: points in 0..1, in order of x. */

import type { Json } from "../doc/types";

export type CurvePoint = readonly [x: number, y: number];

const unit = (value: number): number => Math.min(1, Math.max(0, Math.round(value * 1000) / 1000));

/** The points of a value; a value that is no curve is the straight one. */
export function curveOf(value: Json): readonly CurvePoint[] {
  const points = Array.isArray(value) ? value.flatMap(pointOf) : [];
  return points.length > 0
    ? points
    : [
        [0, 0],
        [1, 1],
      ];
}

function pointOf(value: Json): readonly CurvePoint[] {
  if (!Array.isArray(value)) return [];
  const [x, y] = value as readonly Json[];
  return typeof x === "number" && typeof y === "number" ? [[x, y]] : [];
}

/** Move one point; it stays between its neighbours. */
export function movePoint(
  curve: readonly CurvePoint[],
  index: number,
  to: CurvePoint,
): CurvePoint[] {
  const low = curve[index - 1]?.[0] ?? 0;
  const high = curve[index + 1]?.[0] ?? 1;
  const x = Math.min(high, Math.max(low, unit(to[0])));
  return curve.map((point, at) => (at === index ? [x, unit(to[1])] : point));
}

/** Add a point, and say where in the order it is. */
export function addPoint(
  curve: readonly CurvePoint[],
  point: CurvePoint,
): { readonly curve: readonly CurvePoint[]; readonly index: number } {
  const [x, y] = [unit(point[0]), unit(point[1])];
  const found = curve.findIndex((one) => one[0] > x);
  const index = found < 0 ? curve.length : found;
  return { curve: [...curve.slice(0, index), [x, y], ...curve.slice(index)], index };
}

/** Take a point away; two remain. */
export const removePoint = (curve: readonly CurvePoint[], index: number): readonly CurvePoint[] =>
  curve.length > 2 ? curve.filter((_, at) => at !== index) : curve;
