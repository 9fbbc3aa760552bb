/** A pack's own widget. If it fails, only this field says so, and the value can still be edited. */

import { useEffect, useRef, useState } from "react";
import type { Json } from "../doc/types";
import { IconButton } from "../ui/Button";
import { keepTextKeys } from "../ui/keys";
import type { FieldProps, PluginHandle } from "./field_props";
import { JsonField } from "./JsonField";
import styles from "./PluginField.module.css";
import { FieldHeight, heightWithin } from "./ResizeHandle";

export function PluginField(props: FieldProps) {
  const { context, port } = props;
  const [fault, setFault] = useState<string | null>(null);
  const [plain, setPlain] = useState(false);
  const { plugin } = context;
  if (!plugin) return <JsonField {...props} />;
  if (fault === null) {
    return (
      <>
        <Mounted {...props} plugin={plugin} onFault={setFault} />
        <FieldHeight {...props} />
      </>
    );
  }
  if (plain) return <JsonField {...props} />;
  const sentence = `The widget of pack ${plugin.pack ?? port.widget ?? "?"} failed: ${fault}`;
  return (
    <div role="alert" className={styles.fault} title={sentence}>
      <span className={styles.sentence}>{sentence}</span>
      <IconButton small icon="edit" label="Edit as JSON" onClick={() => setPlain(true)} />
      <IconButton small icon="refresh" label="Try again" onClick={() => setFault(null)} />
    </div>
  );
}

interface MountedProps extends FieldProps {
  readonly plugin: NonNullable<FieldProps["context"]["plugin"]>;
  readonly onFault: (fault: string) => void;
}

const sentenceOf = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error);
  return /[.!?]$/.test(text) ? text : `${text || "it says no reason"}.`;
};

function Mounted({
  port,
  value,
  onChange,
  context,
  plugin,
  disabled,
  label,
  place,
  onFault,
}: MountedProps) {
  const host = useRef<HTMLDivElement>(null);
  const handle = useRef<PluginHandle | null>(null);
  // Only on the canvas is there a height to be had.
  const resize = place === "node" && !disabled ? context.resize : null;
  const latest = useRef({ value, onChange, onFault, resize });
  latest.current = { value, onChange, onFault, resize };
  /** What the widget knows, so that its own changes are not told back to it. */
  const told = useRef<Json>(value);
  const { id, type } = context.node;

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const leaving = new AbortController();
    const inside = document.createElement("div");
    element.replaceChildren(inside);
    const release = blame(inside, (error) => latest.current.onFault(sentenceOf(error)));
    told.current = latest.current.value;
    try {
      handle.current = plugin.mount(inside, {
        value: latest.current.value,
        spec: port,
        node: { id, type },
        signal: leaving.signal,
        resize: (height) => {
          if (leaving.signal.aborted || Number.isNaN(height)) return;
          latest.current.resize?.(heightWithin(height));
        },
        onChange: (next, done = true) => {
          if (leaving.signal.aborted) return;
          told.current = next;
          latest.current.onChange(next, done);
        },
      });
    } catch (error) {
      latest.current.onFault(sentenceOf(error));
    }
    return () => {
      release();
      handle.current = null;
      leaving.abort();
      element.replaceChildren();
    };
  }, [plugin, port, id, type]);

  useEffect(() => {
    if (JSON.stringify(told.current) === JSON.stringify(value)) return;
    told.current = value;
    try {
      handle.current?.update(value);
    } catch (error) {
      latest.current.onFault(sentenceOf(error));
    }
  }, [value]);

  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset brings a frame of its own
    <div
      ref={host}
      role="group"
      aria-label={label}
      className={styles.plugin}
      inert={disabled}
      onKeyDown={keepTextKeys}
    />
  );
}

const EVENTS = [
  ...["pointerdown", "pointermove", "pointerup", "click", "dblclick", "wheel"],
  ...["input", "change", "keydown", "keyup", "focusin", "focusout", "drop", "paste"],
];

/**
 * Whose fault an error is: of the widget, if its handlers were running when it came. They cannot be
 * wrapped, so their events are seen coming, before the widget sees them.
 */
function blame(inside: HTMLElement, onFault: (error: unknown) => void): () => void {
  let running = false;
  const begin = () => {
    running = true;
    // After all handlers of this event, whether or not one stops it.
    setTimeout(() => {
      running = false;
    });
  };
  const onError = (event: ErrorEvent) => {
    if (running) onFault(event.error ?? event.message);
  };
  for (const kind of EVENTS) inside.addEventListener(kind, begin, true);
  window.addEventListener("error", onError);
  return () => window.removeEventListener("error", onError);
}
