import { useMemo } from "react";
import { classes } from "./classes";
import styles from "./Markdown.module.css";
import { markdownHtml } from "./markdown_html";

interface MarkdownProps {
  readonly text: string;
  /** Where pictures of relative names are: an address of this server. */
  readonly pictures?: string | undefined;
  readonly className?: string | undefined;
}

/** A text in Markdown; see `markdownHtml` for what it may hold. */
export function Markdown({ text, pictures, className }: MarkdownProps) {
  const html = useMemo(
    () => markdownHtml(text, { base: document.baseURI, pictures }),
    [text, pictures],
  );
  return (
    <div
      className={classes(styles.markdown, className)}
      // biome-ignore lint/security/noDangerouslySetInnerHtml: markdownHtml lets no raw HTML through
      dangerouslySetInnerHTML={{ __html: html }}
    />
  );
}
