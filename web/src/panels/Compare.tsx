/**
 * Two pictures under one divider: dragging it, or arrow keys, show more of the one or the other.
 * Both fill the place that it is given, so that pictures of other sizes are seen at one.
 */

import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import css from "./Compare.module.css";

export function Compare({ a, b }: { readonly a: string; readonly b: string }) {
  const [part, setPart] = useState(50);
  const frame = useRef<HTMLDivElement>(null);
  const follow = (event: PointerEvent) => {
    const bounds = frame.current?.getBoundingClientRect();
    if (!bounds || event.buttons !== 1) return;
    const at = (100 * (event.clientX - bounds.left)) / bounds.width;
    setPart(Math.round(Math.min(100, Math.max(0, at))));
  };
  const keys = (event: KeyboardEvent) => {
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: -2,
      ArrowRight: 2,
      Home: -100,
      End: 100,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    setPart((now) => Math.min(100, Math.max(0, now + step)));
  };
  return (
    <div
      ref={frame}
      className={`${css.frame} nodrag`}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        follow(event);
      }}
      onPointerMove={follow}
    >
      {/* Both are cut, or what is behind would be seen through transparent pixels. */}
      <img src={b} alt="B" draggable={false} style={{ clipPath: `inset(0 0 0 ${part}%)` }} />
      <img src={a} alt="A" draggable={false} style={{ clipPath: `inset(0 ${100 - part}% 0 0)` }} />
      <div
        role="slider"
        tabIndex={0}
        aria-label="Divider between A and B"
        aria-valuenow={part}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuetext={`${part} % of A`}
        className={css.divider}
        style={{ left: `${part}%` }}
        onKeyDown={keys}
      />
      <span className={css.a}>A</span>
      <span className={css.b}>B</span>
    </div>
  );
}
