/** The library as rows of a tree: categories that lie in each other, and nodes in them. */

import type { NodeSpec } from "../gen/nodes";
import type { TreeRow } from "../ui/Tree";

export type Entry =
  | { readonly kind: "category"; readonly name: string; readonly count: number }
  | { readonly kind: "node"; readonly spec: NodeSpec };

interface Category {
  readonly path: string;
  readonly name: string;
  readonly inner: Map<string, Category>;
  readonly specs: NodeSpec[];
}

const category = (path: string, name: string): Category => ({
  path,
  name,
  inner: new Map(),
  specs: [],
});

/** Categories are written as paths: `sampling/advanced` lies in `sampling`. */
function grouped(specs: readonly NodeSpec[]): Category {
  const root = category("", "");
  for (const spec of specs) {
    let at = root;
    for (const name of (spec.category || "other").split("/")) {
      const next = at.inner.get(name) ?? category(`${at.path}/${name}`, name);
      at.inner.set(name, next);
      at = next;
    }
    at.specs.push(spec);
  }
  return root;
}

const countOf = ({ inner, specs }: Category): number =>
  [...inner.values()].reduce((sum, one) => sum + countOf(one), specs.length);

const node = (
  spec: NodeSpec,
  place: string,
  level: number,
  nth: readonly [number, number],
): TreeRow<Entry> => ({
  key: `${place}:${spec.id}`,
  value: { kind: "node", spec },
  label: spec.title,
  level,
  open: null,
  nth,
});

/** Nodes alone, in the order that they come in. */
export const flatRows = (specs: readonly NodeSpec[]): TreeRow<Entry>[] =>
  specs.map((spec, index) => node(spec, "", 1, [index + 1, specs.length]));

const FAVOURITES = "Favourites";

/**
 * @param specs By title.
 * @param folded Keys of categories whose nodes are not shown.
 */
export function treeRows(
  specs: readonly NodeSpec[],
  favourites: readonly NodeSpec[],
  folded: ReadonlySet<string>,
): TreeRow<Entry>[] {
  const rows: TreeRow<Entry>[] = [];
  const add = (one: Category, level: number, nth: readonly [number, number]) => {
    const open = !folded.has(one.path);
    const value: Entry = { kind: "category", name: one.name, count: countOf(one) };
    rows.push({ key: one.path, value, label: one.name, level, open, nth });
    if (open) addInner(one, level + 1);
  };
  const addInner = (one: Category, level: number) => {
    const inner = [...one.inner.values()].sort((a, b) => a.name.localeCompare(b.name));
    const count = inner.length + one.specs.length;
    for (const [index, next] of inner.entries()) add(next, level, [index + 1, count]);
    for (const [index, spec] of one.specs.entries()) {
      rows.push(node(spec, one.path, level, [inner.length + index + 1, count]));
    }
  };
  const root = grouped(specs);
  const loved = { ...category(`*${FAVOURITES}`, FAVOURITES), specs: [...favourites] };
  const tops = [...root.inner.values()].sort((a, b) => a.name.localeCompare(b.name));
  const all = favourites.length > 0 ? [loved, ...tops] : tops;
  for (const [index, top] of all.entries()) add(top, 1, [index + 1, all.length]);
  return rows;
}
