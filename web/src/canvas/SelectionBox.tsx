import css from "./Canvas.module.css";
import type { ScreenBox } from "./useBoxSelect";

/** The box that is being drawn. */
export const SelectionBox = ({ box }: { box: ScreenBox | null }) =>
  box && <div className={css.selectionBox} style={box} aria-hidden="true" />;
