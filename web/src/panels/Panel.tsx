/** A panel: its name, what can be done, and what it shows. */

import type { ReactNode } from "react";
import css from "./Panel.module.css";

interface PanelProps {
  readonly title: string;
  readonly actions?: ReactNode;
  readonly search?: ReactNode;
  /** What it shows fills it and scrolls by itself. */
  readonly fill?: boolean;
  readonly children: ReactNode;
}

export const Panel = ({ title, actions, search, fill, children }: PanelProps) => (
  <section className={css.panel} aria-label={title}>
    <header className={css.head}>
      <h2>{title}</h2>
      {actions}
    </header>
    {search && <div className={css.search}>{search}</div>}
    <div className={css.body} data-fill={fill || undefined}>
      {children}
    </div>
  </section>
);
