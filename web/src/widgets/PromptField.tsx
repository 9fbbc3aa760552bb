/** A text of many lines, as prompts are. */

import { type KeyboardEvent, useLayoutEffect, useRef, useState } from "react";
import { classes } from "../ui/classes";
import { keepTextKeys } from "../ui/keys";
import field from "./Field.module.css";
import { controlProps, type FieldProps, sourceSaid } from "./field_props";
import { FieldHeight } from "./ResizeHandle";
import { useTyping } from "./useTyping";
import { changeWeight } from "./weights";

export function PromptField(props: FieldProps) {
  const { value, onChange, disabled } = props;
  const typing = useTyping(onChange);
  const [focused, setFocused] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const select = useRef<readonly [number, number] | null>(null);
  useLayoutEffect(() => {
    if (select.current) area.current?.setSelectionRange(...select.current);
    select.current = null;
  });
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    keepTextKeys(event);
    if (event.key === "Escape") event.currentTarget.blur();
    const arrow = event.key === "ArrowUp" || event.key === "ArrowDown";
    if (!arrow || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const { value: text, selectionStart: from, selectionEnd: to } = event.currentTarget;
    const next = changeWeight({ text, from, to }, event.key === "ArrowUp");
    if (next.text === text) return;
    select.current = [next.from, next.to];
    typing.type(next.text);
  };
  return (
    <>
      <textarea
        {...controlProps(props)}
        ref={area}
        // The canvas zooms under an area that only lies there, and scrolls in one that is written in.
        className={classes(field.text, focused && "nowheel")}
        spellCheck={false}
        disabled={disabled}
        placeholder={sourceSaid(props)}
        value={typeof value === "string" ? value : ""}
        onChange={(event) => typing.type(event.target.value)}
        onFocus={() => setFocused(true)}
        onBlur={() => {
          setFocused(false);
          typing.end();
        }}
        onKeyDown={onKeyDown}
      />
      <FieldHeight {...props} />
    </>
  );
}
