/** The filters of PNG rows: each byte is told as its difference from what its neighbours foretell. */

/** What the Paeth filter foretells from the bytes at the left, above, and at the left above. */
function paeth(left: number, above: number, corner: number): number {
  const guess = left + above - corner;
  const a = Math.abs(guess - left);
  const b = Math.abs(guess - above);
  const c = Math.abs(guess - corner);
  if (a <= b && a <= c) return left;
  return b <= c ? above : corner;
}

/** Row `y` of `data`, filtered by Paeth's filter, into `row`. */
export function filterRow(
  data: Uint8Array,
  y: number,
  stride: number,
  channels: number,
  row: Uint8Array,
): void {
  const start = y * stride;
  for (let x = 0; x < stride; x++) {
    const left = x < channels ? 0 : (data[start + x - channels] ?? 0);
    const above = y === 0 ? 0 : (data[start + x - stride] ?? 0);
    const corner = y === 0 || x < channels ? 0 : (data[start + x - stride - channels] ?? 0);
    row[x] = (data[start + x] ?? 0) - paeth(left, above, corner);
  }
}

/** Row `y` of `data`, which is filtered, as it was; throws for a filter that PNG does not have. */
export function unfilterRow(
  filter: number,
  data: Uint8Array,
  y: number,
  stride: number,
  channels: number,
): void {
  if (filter === 0) return;
  if (filter > 4) throw new Error(`There is no filter ${filter}.`);
  const start = y * stride;
  for (let x = 0; x < stride; x++) {
    const left = x < channels ? 0 : (data[start + x - channels] ?? 0);
    const above = y === 0 ? 0 : (data[start + x - stride] ?? 0);
    const corner = y === 0 || x < channels ? 0 : (data[start + x - stride - channels] ?? 0);
    let told = left;
    if (filter === 2) told = above;
    else if (filter === 3) told = (left + above) >> 1;
    else if (filter === 4) told = paeth(left, above, corner);
    data[start + x] = (data[start + x] ?? 0) + told;
  }
}
