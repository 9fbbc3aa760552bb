/**
 * The clock of undo. It stands still while a button of the pointer is down and then goes on from
 * there, so that a drag is one step however long it rests somewhere.
 */

export function undoClock(
  page: EventTarget = window,
  now: () => number = () => performance.now(),
): () => number {
  let since: number | null = null;
  let rested = 0;
  const begin = () => {
    since ??= now();
  };
  const end = () => {
    if (since !== null) rested += now() - since;
    since = null;
  };
  // Whoever handles an event may keep it from others, so this hears of it first.
  page.addEventListener("pointerdown", begin, true);
  page.addEventListener("pointerup", end, true);
  page.addEventListener("pointercancel", end, true);
  // Of a button that was let go outside of the page nothing else tells.
  page.addEventListener(
    "pointermove",
    (event) => {
      if ((event as PointerEvent).buttons === 0) end();
    },
    true,
  );
  return () => (since ?? now()) - rested;
}
