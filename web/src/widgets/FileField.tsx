/** A file of a root of the server, by name. */

import type { ReactNode } from "react";
import { Button } from "../ui/Button";
import { Icon } from "../ui/icons";
import { keepControlKeys } from "../ui/keys";
import { Menu, type MenuItem } from "../ui/Menu";
import { type Option, Select } from "../ui/Select";
import styles from "./FileField.module.css";
import { controlProps, type FieldProps, type FileChoice } from "./field_props";
import { nearNames } from "./near";

interface FileFieldProps extends FieldProps {
  /** More buttons below the list. */
  readonly more?: ReactNode;
}

export function FileField(props: FileFieldProps) {
  const { port, value, onChange, disabled, label, context, more } = props;
  const root = port.file?.root ?? "inputs";
  const known = context.files(root);
  const files = known ?? [];
  const name = typeof value === "string" && value !== "" ? value : null;
  const listed = name === null || files.some((file) => file.name === name);
  const missing = known !== null && !listed;
  const options: Option[] = files.map((file) => ({
    value: file.name,
    label: file.name,
    hint: kindOf(file),
    note: twinsOf(file),
    problem: file.problem,
  }));
  if (name !== null && !listed) {
    const problem = missing ? `There is no ${name} in ${root}.` : undefined;
    options.unshift({ value: name, label: name, problem });
  }
  return (
    <>
      {name !== null && missing && !disabled && <Missing {...props} name={name} root={root} />}
      <Select
        {...controlProps(props)}
        label={label}
        value={name}
        options={options}
        disabled={disabled}
        unmarked={missing && !disabled}
        searched={options.length > 6}
        placeholder={port.file?.folder ? "File or folder" : "Choose a file"}
        empty={`There is nothing in ${root}.`}
        footer={
          <>
            <Button look="quiet" icon="refresh" onClick={() => context.refreshFiles(root)}>
              Refresh
            </Button>
            {more}
          </>
        }
        onChange={(next) => onChange(next, true)}
      />
    </>
  );
}

/** What a model is, in a few words. */
const kindOf = ({ family, title, precision }: FileChoice): string =>
  [title || family, precision].filter(Boolean).join(", ");

/** Which files have the same content. */
const twinsOf = ({ same_as: names = [] }: FileChoice): string =>
  names.length === 0 ? "" : `the same as ${names.join(", ")}`;

interface MissingProps extends FieldProps {
  readonly name: string;
  readonly root: string;
}

/** The file is not there: says so, and offers what is called much like it. */
function Missing({ name, root, context, onChange, label }: MissingProps) {
  const files = context.files(root) ?? [];
  const near = nearNames(
    name,
    files.map((file) => file.name),
  );
  const items: MenuItem[] = [
    { heading: `${name} is not there` },
    ...near.map(
      (other): MenuItem => ({
        label: other,
        hint: kindOf(files.find((file) => file.name === other) ?? { name: other }),
        icon: "file",
        run: () => onChange(other, true),
      }),
    ),
    ...(near.length === 0 ? [{ label: "No name is like it", disabled: true }] : []),
    "separator",
    { label: "Look again", icon: "refresh", run: () => context.refreshFiles(root) },
  ];
  return (
    <Menu
      items={items}
      trigger={
        <button
          type="button"
          className={styles.missing}
          aria-label={`${label} is missing: names like it`}
          title={`There is no ${name} in ${root}.`}
          onKeyDown={keepControlKeys}
        >
          <Icon name="warning" size={14} />
        </button>
      }
    />
  );
}
