/** The field in which a title is written, in the place of the title. */

import { useRef } from "react";

interface TitleInputProps {
  readonly label: string;
  readonly value: string;
  readonly className: string;
  /** Called once, with what was written, or null if it shall stay as it was. */
  readonly end: (text: string | null, by: "keys" | "leaving") => void;
}

export function TitleInput({ label, value, className, end }: TitleInputProps) {
  const over = useRef(false);
  const once = (text: string | null, by: "keys" | "leaving") => {
    // The focus that leaves ends it too, once it has ended.
    if (over.current) return;
    over.current = true;
    end(text, by);
  };
  return (
    <input
      className={`${className} nodrag`}
      aria-label={label}
      defaultValue={value}
      ref={(input) => input?.select()}
      onBlur={(event) => once(event.target.value, "leaving")}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key !== "Enter" && event.key !== "Escape") return;
        once(event.key === "Enter" ? event.currentTarget.value : null, "keys");
      }}
    />
  );
}
