/** A socket: its type is told by colour, by shape, and by name to those who see neither. */

import { Handle, Position } from "@xyflow/react";
import { memo } from "react";
import { itemType } from "../doc/joins";
import { useLibrary } from "../editor";
import { toneOf } from "../ui/tones";
import css from "./Socket.module.css";

/** Of a type that no pack has. */
const OTHER = { colour: "#9aa0a6", shape: "circle" } as const;

/** Colour, for styles, and shape of a type; a list has those of its items. */
export function useSocketLook(type: string): { colour: string; shape: string; list: boolean } {
  const inner = itemType(type);
  const { colour, shape } = useLibrary((state) => state.library.sockets[inner ?? type]) ?? OTHER;
  return { colour: toneOf(colour), shape, list: inner !== null };
}

interface SocketProps {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly side: "input" | "output";
  readonly top: number;
  readonly linked: boolean;
  readonly problem?: string | null;
  /** What the node is called whose wire ends here. */
  readonly source?: string | null;
}

export const Socket = memo(function Socket(props: SocketProps) {
  const { id, name, type, side, top, linked, problem, source } = props;
  const look = useSocketLook(type);
  const input = side === "input";
  return (
    <Handle
      id={id}
      type={input ? "target" : "source"}
      position={input ? Position.Left : Position.Right}
      className={css.socket ?? ""}
      style={{ top }}
      role="button"
      tabIndex={-1}
      aria-label={`${name}: ${type} ${side}`}
      aria-description={source ? `from ${source}` : undefined}
      aria-invalid={problem ? true : undefined}
      title={problem ?? `${name}: ${type}`}
      data-shape={look.shape}
      data-list={look.list || undefined}
      data-linked={linked || undefined}
      data-side={side}
    >
      <svg
        viewBox="-8 -8 16 16"
        className={css.mark}
        style={{ color: look.colour }}
        aria-hidden="true"
      >
        <SocketShape shape={look.shape} />
        {look.list && <SocketShape shape={look.shape} small />}
      </svg>
    </Handle>
  );
});

/** The outline of a type. */
function SocketShape({ shape, small = false }: { shape: string; small?: boolean }) {
  const scale = small ? "scale(0.45)" : undefined;
  const common = { className: small ? css.hole : css.shape, transform: scale };
  switch (shape) {
    case "square":
      return <rect x={-4.5} y={-4.5} width={9} height={9} rx={1.2} {...common} />;
    case "diamond":
      return <path d="M0-6 6 0 0 6-6 0z" {...common} />;
    case "triangle":
      return <path d="M-4.5-5.2 5.6 0-4.5 5.2z" {...common} />;
    case "hexagon":
      return <path d="M-3-5.3h6L6 0 3 5.3h-6L-6 0z" {...common} />;
    default:
      return <circle r={5} {...common} />;
  }
}
