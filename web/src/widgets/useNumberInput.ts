/** What the input of a number does with keys, typing, dragging and the wheel. */

import { type ChangeEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import { clampTo, evaluate, formatNumber, type Limits, stepOf, tidy } from "../doc/numbers";
import { meansControl, meansText } from "../ui/keys";
import type { FieldProps } from "./field_props";
import { useScrub } from "./useScrub";
import { limitsOf } from "./values";

export function useNumberInput({ port, value, onChange, disabled }: FieldProps) {
  const limits = limitsOf(port);
  const number = typeof value === "number" ? value : (evaluate(String(value ?? "")) ?? 0);
  const step = stepOf(limits, number);
  const [draft, setDraft] = useState<string | null>(null);
  const [hint, setHint] = useState<string | null>(null);
  /** What it was before typing began, for Escape. */
  const before = useRef(number);

  const give = (wanted: number, done: boolean) => {
    const next = clampTo(tidy(wanted), limits);
    setHint(limitHint(wanted, next, limits));
    onChange(next, done);
  };
  const typing = typingOf({ number, draft, setDraft, setHint, give, onChange, limits, before });
  const begin = (text = formatNumber(number)) => {
    before.current = number;
    typing.to(text);
  };
  const steps = (count: number) => {
    setDraft(null);
    give(number + count * step, true);
  };
  const scrub = useScrub({
    disabled: disabled || draft !== null,
    start: number,
    step,
    limits,
    onMove: (next) => give(next, false),
    onEnd: (next) => give(next, true),
  });
  const handlers = {
    ...scrub,
    ref: useWheel(steps),
    onChange: (event: ChangeEvent<HTMLInputElement>) =>
      draft === null ? begin(event.target.value) : typing.to(event.target.value),
    onDoubleClick: (event: { readonly currentTarget: HTMLInputElement }) => {
      if (draft === null) begin();
      event.currentTarget.select();
    },
    onKeyDown: (event: KeyboardEvent<HTMLInputElement>) =>
      onKey(event, draft !== null, { steps, begin, typing, limits, give }),
    onFocus: (event: { readonly currentTarget: HTMLInputElement }) => event.currentTarget.select(),
    onBlur: () => {
      if (draft !== null) typing.end();
      setHint(null);
    },
  };
  return { number, limits, draft, hint, handlers };
}

interface TypingParts {
  readonly number: number;
  readonly draft: string | null;
  readonly setDraft: (draft: string | null) => void;
  readonly setHint: (hint: string | null) => void;
  readonly give: (wanted: number, done: boolean) => void;
  readonly onChange: FieldProps["onChange"];
  readonly limits: Limits;
  readonly before: { readonly current: number };
}

interface Typing {
  readonly to: (text: string) => void;
  readonly end: () => void;
  readonly undo: () => void;
}

/** What is typed counts at once where it is a value that may be; at the end it is made one. */
function typingOf(parts: TypingParts): Typing {
  const { number, draft, setDraft, setHint, give, onChange, limits, before } = parts;
  const undo = () => {
    setDraft(null);
    setHint(null);
    if (before.current !== number) onChange(before.current, true);
  };
  return {
    to(text) {
      setDraft(text);
      const next = evaluate(text);
      const allowed = next !== null && clampTo(next, limits) === next;
      setHint(next === null && text !== "" ? "No number yet." : null);
      if (allowed && next !== number) onChange(next, false);
    },
    end() {
      const next = evaluate(draft ?? "");
      setDraft(null);
      if (next === null) undo();
      else if (next !== number || before.current !== number) give(next, true);
      else setHint(null);
    },
    undo,
  };
}

interface KeyActions {
  readonly steps: (count: number) => void;
  readonly begin: (text?: string) => void;
  readonly typing: Typing;
  readonly limits: Limits;
  readonly give: (wanted: number, done: boolean) => void;
}

function onKey(event: KeyboardEvent, editing: boolean, actions: KeyActions): void {
  if (numberKey(event, editing, actions)) {
    event.preventDefault();
    event.stopPropagation();
    return;
  }
  // Ctrl+Enter runs: what was typed counts.
  if (event.key === "Enter" && editing) actions.typing.end();
  const plain = !event.ctrlKey && !event.metaKey && event.key.length === 1;
  const erases = event.key === "Backspace" || event.key === "Delete";
  if (editing ? meansText(event) : plain || erases || meansControl(event)) event.stopPropagation();
}

/** Do what a key says; whether it said anything. */
function numberKey(event: KeyboardEvent, editing: boolean, actions: KeyActions): boolean {
  const { steps, begin, typing, limits, give } = actions;
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const times = event.shiftKey ? 10 : 1;
  switch (event.key) {
    case "ArrowUp":
      steps(times);
      return true;
    case "ArrowDown":
      steps(-times);
      return true;
    case "PageUp":
      steps(10);
      return true;
    case "PageDown":
      steps(-10);
      return true;
    case "Enter":
      if (editing) typing.end();
      else begin();
      return true;
    case "Escape":
      if (editing) typing.undo();
      return editing;
    case "Home":
    case "End": {
      const bound = event.key === "Home" ? limits.min : limits.max;
      if (editing || bound === null) return false;
      give(bound, true);
      return true;
    }
    default:
      return false;
  }
}

function limitHint(wanted: number, next: number, { min, max, whole }: Limits): string | null {
  if (min !== null && wanted < min) return `At least ${formatNumber(next)}.`;
  if (max !== null && wanted > max) return `At most ${formatNumber(next)}.`;
  return whole && !Number.isInteger(tidy(wanted)) ? `A whole number: ${formatNumber(next)}.` : null;
}

/** The wheel steps what has the focus, and the canvas stays where it is; else the canvas zooms. */
function useWheel(onSteps: (count: number) => void) {
  const input = useRef<HTMLInputElement>(null);
  const latest = useRef(onSteps);
  latest.current = onSteps;
  useEffect(() => {
    const element = input.current;
    const onWheel = (event: WheelEvent) => {
      if (document.activeElement !== element || event.deltaY === 0 || event.ctrlKey) return;
      event.preventDefault();
      event.stopPropagation();
      latest.current((event.deltaY < 0 ? 1 : -1) * (event.shiftKey ? 10 : 1));
    };
    // Not of React, whose handlers of the wheel cannot keep the page from scrolling.
    element?.addEventListener("wheel", onWheel, { passive: false });
    return () => element?.removeEventListener("wheel", onWheel);
  }, []);
  return input;
}
