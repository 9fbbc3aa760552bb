import styles from "./Kbd.module.css";
import { formatKeys } from "./keys";

/** A shortcut, as the keyboard at hand writes it. */
export function Kbd({ keys }: { readonly keys: string }) {
  return <kbd className={styles.kbd}>{formatKeys(keys)}</kbd>;
}
