/** Typing in a field is one step of undo, and a field that was only visited changes nothing. */

import { useRef } from "react";
import type { Json } from "../doc/types";
import type { FieldProps } from "./field_props";

export function useTyping(onChange: FieldProps["onChange"]) {
  const typed = useRef<{ readonly value: Json } | null>(null);
  return {
    type(value: Json) {
      typed.current = { value };
      onChange(value, false);
    },
    /** The typing is over: the field was left, or Enter pressed. */
    end() {
      const last = typed.current;
      typed.current = null;
      if (last) onChange(last.value, true);
    },
  };
}
