/** A picture among the inputs: chosen, sent, dropped or pasted; its mask can be painted. */

import { type ClipboardEvent, type DragEvent, useRef, useState } from "react";
import { Spinner } from "../ui/Badge";
import { Button, IconButton } from "../ui/Button";
import { classes } from "../ui/classes";
import { keepControlKeys } from "../ui/keys";
import { FileField } from "./FileField";
import type { FieldProps } from "./field_props";
import styles from "./ImageField.module.css";
import { FieldHeight } from "./ResizeHandle";

/** Pixels of the longer side of what is asked of the server. */
const THUMB = 512;

export function ImageField(props: FieldProps) {
  const { value, label, disabled, context } = props;
  const name = typeof value === "string" && value !== "" ? value : null;
  const upload = useUpload(props);
  const [over, setOver] = useState(false);
  const drops = {
    onDragOver(event: DragEvent) {
      if (disabled || !event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      event.stopPropagation();
      setOver(true);
    },
    onDragLeave: () => setOver(false),
    onDrop(event: DragEvent) {
      setOver(false);
      const file = event.dataTransfer.files[0];
      if (disabled || !file) return;
      event.preventDefault();
      event.stopPropagation();
      void upload.send(file);
    },
    onPaste(event: ClipboardEvent) {
      const file = event.clipboardData.files[0];
      if (disabled || !file) return;
      event.preventDefault();
      event.stopPropagation();
      void upload.send(file);
    },
  };
  return (
    <div className={classes(styles.image, over && styles.over)} {...drops}>
      <div className={styles.row}>
        <FileField
          {...props}
          more={
            <Button look="quiet" icon="upload" onClick={upload.choose}>
              Upload
            </Button>
          }
        />
        <IconButton
          small
          icon="upload"
          label={`Upload ${label}`}
          disabled={disabled}
          onClick={upload.choose}
          onKeyDown={keepControlKeys}
        />
        {context.openMask && name && (
          <IconButton
            small
            icon="mask"
            label={`Paint the mask of ${label}`}
            disabled={disabled}
            onClick={context.openMask}
            onKeyDown={keepControlKeys}
          />
        )}
      </div>
      <Thumb key={name} name={name} context={context} />
      {upload.input}
      {upload.busy && (
        <span className={styles.busy}>
          <Spinner label="Sending" />
        </span>
      )}
      <span role="status" className={upload.fault ? styles.fault : "visually-hidden"}>
        {upload.fault}
      </span>
      <FieldHeight {...props} />
    </div>
  );
}

function Thumb({
  name,
  context,
}: {
  readonly name: string | null;
  readonly context: FieldProps["context"];
}) {
  const [gone, setGone] = useState(false);
  // A button only so that it can be focused, for pasting.
  return (
    <button
      type="button"
      className={styles.thumb}
      aria-label={name ?? "Drop or paste a picture here"}
    >
      {name && !gone ? (
        <img
          src={context.inputUrl(name, THUMB)}
          alt=""
          draggable={false}
          loading="lazy"
          decoding="async"
          onError={() => setGone(true)}
        />
      ) : (
        <span>{name ? "It cannot be shown." : "Drop or paste a picture"}</span>
      )}
    </button>
  );
}

/** Sends pictures, chosen in the browser's dialog or handed over. */
function useUpload({ context, onChange, label, disabled }: FieldProps) {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  const box = useRef<HTMLInputElement>(null);
  const send = async (file: File) => {
    setFault(null);
    if (!file.type.startsWith("image/")) {
      setFault(`${file.name} is no picture.`);
      return;
    }
    setBusy(true);
    try {
      onChange(await context.upload(file), true);
    } catch (error) {
      setFault(`${file.name} was not sent: ${error instanceof Error ? error.message : error}`);
    } finally {
      setBusy(false);
    }
  };
  const input = (
    <input
      ref={box}
      type="file"
      accept="image/*"
      hidden
      aria-label={`File for ${label}`}
      disabled={disabled}
      onChange={(event) => {
        const file = event.target.files?.[0];
        event.target.value = "";
        if (file) void send(file);
      }}
    />
  );
  return { busy, fault, send, input, choose: () => box.current?.click() };
}
