/** Our own icons: strokes of 1.5 on a grid of 16. */

const STROKES = {
  play: "M5 3.2v9.6l7.5-4.8z",
  stop: "M4 4h8v8H4z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3l3.2 3.2",
  undo: "M5.5 3 2.5 6l3 3M2.5 6h7a4 4 0 0 1 0 8H7",
  redo: "m10.5 3 3 3-3 3M13.5 6h-7a4 4 0 0 0 0 8H9",
  save: "M3 2.5h8l2.5 2.5v8a.5.5 0 0 1-.5.5H3a.5.5 0 0 1-.5-.5V3a.5.5 0 0 1 .5-.5zM5 2.5v3.5h5V2.5M4.5 13.5V9h7v4.5",
  folder: "M2 4a1 1 0 0 1 1-1h3l1.5 1.5H13a1 1 0 0 1 1 1V12a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1z",
  file: "M4 2h5l3.5 3.5V13a1 1 0 0 1-1 1H4.5a1 1 0 0 1-1-1V2.5A.5.5 0 0 1 4 2zM9 2v3.5h3.5",
  image:
    "M3 2.5h10a.5.5 0 0 1 .5.5v10a.5.5 0 0 1-.5.5H3a.5.5 0 0 1-.5-.5V3a.5.5 0 0 1 .5-.5zM2.5 11.5 6 8l4.5 5M9 10.5l2-2 2.5 2.5M10.5 5.5h.01",
  history: "M2.5 4v3h3M2.8 7a5.5 5.5 0 1 1 .3 3M8 5v3.2l2.2 1.3",
  queue: "M2.5 4h11M2.5 8h11M2.5 12h6",
  gallery: "M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z",
  settings:
    "M2 4.5h6M12 4.5h2M10 2.7a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6zM2 11.5h2M8 11.5h6M6 9.7a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z",
  help: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM6.3 6.3a1.75 1.75 0 1 1 2.6 1.5c-.6.35-.9.7-.9 1.4M8 11.4h.01",
  info: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.3v3.7M8 5h.01",
  trash: "M2.5 4.5h11M6 4.5V2.5h4v2M4 4.5l.6 9h6.8l.6-9M6.7 7v4M9.3 7v4",
  copy: "M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1",
  close: "m4 4 8 8M12 4l-8 8",
  "chevron-down": "m4 6 4 4 4-4",
  "chevron-up": "m4 10 4-4 4 4",
  "chevron-left": "m10 4-4 4 4 4",
  "chevron-right": "m6 4 4 4-4 4",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  warning: "M8 2.5 14.2 13.5H1.8zM8 6.5v3.2M8 11.6h.01",
  error: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM5.9 5.9l4.2 4.2M10.1 5.9l-4.2 4.2",
  check: "m3 8.5 3.3 3.3L13 4.8",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.7V8l2.3 1.5",
  bolt: "M9 2 3.5 9H8l-1 5 5.5-7H8z",
  eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  "eye-off":
    "M6.3 3.8A6 6 0 0 1 8 3.5c4 0 6.5 4.5 6.5 4.5a11 11 0 0 1-1.7 2.2M10.5 11.9A6 6 0 0 1 8 12.5C4 12.5 1.5 8 1.5 8a11 11 0 0 1 2.8-3.1M2.5 2.5l11 11",
  lock: "M4 7.5h8v6H4zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5",
  unlock: "M4 7.5h8v6H4zM5.5 7.5V5a2.5 2.5 0 0 1 4.8-.9",
  pin: "M6 2.5h4M6.5 2.5v4.2L4.5 9.5h7l-2-2.8V2.5M8 9.5V14",
  group: "M2.5 2.5h5v5h-5zM8.5 8.5h5v5h-5zM10.5 2.5h3v3M2.5 10.5v3h3",
  ungroup: "M2.5 2.5h5v5h-5zM8.5 8.5h5v5h-5zM10.5 5.5l3-3M2.5 13.5l3-3",
  frame: "M4.5 2v12M11.5 2v12M2 4.5h12M2 11.5h12",
  note: "M3 2.5h10a.5.5 0 0 1 .5.5v6.5l-4 4H3a.5.5 0 0 1-.5-.5V3a.5.5 0 0 1 .5-.5zM13.5 9.5h-4v4M5 5.5h6M5 8h3",
  comment:
    "M3 3h10a.5.5 0 0 1 .5.5v7a.5.5 0 0 1-.5.5H7.5L5 13.5V11H3a.5.5 0 0 1-.5-.5v-7A.5.5 0 0 1 3 3z",
  layout: "M2 6h3.5v4H2zM10.5 2.5H14v4h-3.5zM10.5 9.5H14v4h-3.5zM5.5 8H8M10.5 4.5H8v7h2.5",
  "align-left": "M2.5 2v12M5 4h8v3H5zM5 9.5h5v3H5z",
  "align-right": "M13.5 2v12M3 4h8v3H3zM6 9.5h5v3H6z",
  "align-top": "M2 2.5h12M4 5h3v8H4zM9.5 5h3v5h-3z",
  "align-bottom": "M2 13.5h12M4 3h3v8H4zM9.5 6h3v5h-3z",
  "align-centre": "M8 2v2M8 7v2.5M8 12.5V14M3.5 4h9v3h-9zM5 9.5h6v3H5z",
  "align-middle": "M2 8h2M7 8h2.5M12.5 8H14M4 3.5h3v9H4zM9.5 5h3v6h-3z",
  distribute: "M2.5 2v12M13.5 2v12M6 4.5h4v7H6z",
  minimap: "M2.5 3h11v10h-11zM8.5 8h3v3h-3zM4.5 5.5h2",
  grid: "M2.5 2.5h11v11h-11zM6.2 2.5v11M9.8 2.5v11M2.5 6.2h11M2.5 9.8h11",
  fit: "M2.5 5.5v-3h3M10.5 2.5h3v3M13.5 10.5v3h-3M5.5 13.5h-3v-3",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M12.6 3.4l-.7.7M4.1 11.9l-.7.7",
  moon: "M13.5 9.6A5.8 5.8 0 0 1 6.4 2.5a5.8 5.8 0 1 0 7.1 7.1z",
  star: "m8 2 1.85 3.75 4.15.6-3 2.93.7 4.12L8 11.45 4.3 13.4l.7-4.12-3-2.93 4.15-.6z",
  upload: "M8 10.5V2.5M4.8 5.7 8 2.5l3.2 3.2M2.5 11v2.5h11V11",
  download: "M8 2.5v8M4.8 7.3 8 10.5l3.2-3.2M2.5 11v2.5h11V11",
  external: "M9 2.5h4.5V7M13.5 2.5 7.5 8.5M11 9.5v4H2.5V5h4",
  link: "M6.5 9.5a3 3 0 0 0 4.2 0l2-2a3 3 0 0 0-4.2-4.2l-.8.8M9.5 6.5a3 3 0 0 0-4.2 0l-2 2a3 3 0 0 0 4.2 4.2l.8-.8",
  unlink:
    "m11.5 8.7 1.2-1.2a3 3 0 0 0-4.2-4.2L7.3 4.5M4.5 7.3 3.3 8.5a3 3 0 0 0 4.2 4.2l1.2-1.2M2.5 2.5l11 11",
  refresh: "M13.5 3v3h-3M2.5 13v-3h3M13.2 6A5.5 5.5 0 0 0 3.5 4.9M2.8 10a5.5 5.5 0 0 0 9.7 1.1",
  mask: "M13.5 2.5 8 8.5M9 9.5 6.5 7C4.5 7 3.8 8.5 3.8 10c0 1-.8 2-1.8 2.5 2.5 1.5 7 .8 7-3z",
  eraser: "m6 13.5-3.5-3.5 7-7L14 7.5l-6 6zM5.5 7l4.5 4.5M6 13.5h8",
  invert: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 2v12M8 5h2.9M8 8h5.8M8 11h2.9",
  form: "M2.5 2.5h11v3.5h-11zM2.5 10h11v3.5h-11zM4.5 4.25h3M4.5 11.75h5",
  keyboard: "M2 4h12v8H2zM4.5 6.5h.01M7 6.5h.01M9.3 6.5h.01M11.6 6.5h.01M5 9.5h6",
  outline: "M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.01M2.5 8h.01M2.5 12h.01",
  book: "M8 4c-1.2-1-3-1.3-5.5-1.3v9.6c2.5 0 4.3.3 5.5 1.3 1.2-1 3-1.3 5.5-1.3V2.7C11 2.7 9.2 3 8 4zM8 4v9.6",
  dice: "M3 2.5h10a.5.5 0 0 1 .5.5v10a.5.5 0 0 1-.5.5H3a.5.5 0 0 1-.5-.5V3a.5.5 0 0 1 .5-.5zM5.5 5.5h.01M10.5 5.5h.01M8 8h.01M5.5 10.5h.01M10.5 10.5h.01",
  bypass: "M2 8h3M11 8h3M5 8a3 3 0 0 1 6 0M8 11.5h.01",
  mute: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM3.8 3.8l8.4 8.4",
  node: "M2.5 3.5h11v9h-11zM2.5 6.5h11M5 9.5h3",
  palette: "M4 3.5h8a1.5 1.5 0 0 1 0 3H4a1.5 1.5 0 0 1 0-3zM4.5 9.5h7M4.5 12.5h4",
  edit: "M10.5 3 13 5.5 6 12.5l-3.2.7.7-3.2zM9 4.5 11.5 7",
} as const;

const FILLED = {
  dot: "M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6z",
  "star-filled": STROKES.star,
  "pin-filled": "M6.5 2.5h3v4.2l2 2.8h-7l2-2.8zM7.7 9.5h.6V14h-.6z",
  drag: "M6 3a1.2 1.2 0 1 1 0 2.4A1.2 1.2 0 0 1 6 3zm0 3.8a1.2 1.2 0 1 1 0 2.4 1.2 1.2 0 0 1 0-2.4zm0 3.8a1.2 1.2 0 1 1 0 2.4 1.2 1.2 0 0 1 0-2.4zM10 3a1.2 1.2 0 1 1 0 2.4A1.2 1.2 0 0 1 10 3zm0 3.8a1.2 1.2 0 1 1 0 2.4 1.2 1.2 0 0 1 0-2.4zm0 3.8a1.2 1.2 0 1 1 0 2.4 1.2 1.2 0 0 1 0-2.4z",
} as const;

export type IconName = keyof typeof STROKES | keyof typeof FILLED;

interface IconProps {
  readonly name: IconName;
  readonly size?: number | undefined;
  readonly className?: string | undefined;
  /** Its name, where it stands alone; beside a text or in a named button it has none. */
  readonly label?: string | undefined;
}

export function Icon({ name, size = 16, className, label }: IconProps) {
  const filled = name in FILLED;
  const path = filled ? FILLED[name as keyof typeof FILLED] : STROKES[name as keyof typeof STROKES];
  return (
    <svg
      className={className}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill={filled ? "currentColor" : "none"}
      stroke={filled && name !== "star-filled" ? "none" : "currentColor"}
      strokeWidth={1.5}
      strokeLinecap="round"
      strokeLinejoin="round"
      role={label ? "img" : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : true}
      focusable="false"
    >
      {label && <title>{label}</title>}
      <path d={path} />
    </svg>
  );
}
