/**
 * Markdown to HTML that is safe to put on the page: raw HTML is shown as text, links lead to http(s)
 * or to places of this server, and no picture comes from another host.
 */

import { Marked, type Tokens } from "marked";

const SIGNS: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (sign) => SIGNS[sign] ?? sign);

function address(href: string, base: string): URL | null {
  try {
    const url = new URL(href, base);
    return url.protocol === "http:" || url.protocol === "https:" ? url : null;
  } catch {
    return null;
  }
}

interface MarkdownPlace {
  /** Address of the page, which relative links are relative to. */
  readonly base: string;
  /** Where pictures of relative names are; without it they are relative to the page. */
  readonly pictures?: string | undefined;
}

function maker({ base, pictures }: MarkdownPlace): Marked {
  return new Marked({
    gfm: true,
    breaks: true,
    renderer: {
      html: ({ text }: Tokens.HTML | Tokens.Tag) => escaped(text),
      link({ href, title, tokens }: Tokens.Link) {
        const text = this.parser.parseInline(tokens);
        if (!address(href, base)) return text;
        const about = title ? ` title="${escaped(title)}"` : "";
        return `<a href="${escaped(href)}"${about} target="_blank" rel="noopener noreferrer">${text}</a>`;
      },
      image({ href, title, text }: Tokens.Image) {
        const url = address(href, pictures ?? base);
        if (url?.host !== new URL(base).host) return escaped(text || href);
        const about = title ? ` title="${escaped(title)}"` : "";
        return `<img src="${escaped(url.href)}" alt="${escaped(text)}"${about} loading="lazy">`;
      },
    },
  });
}

export const markdownHtml = (text: string, place: MarkdownPlace): string =>
  maker(place).parse(text, { async: false });
