// Small helpers that make elements. Text never becomes markup.

/** An element with properties and children; a child that is a string becomes text. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name in made && name !== "list" && name !== "form") made[name] = value;
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A text with `code` in it, as paragraphs. */
export function prose(text) {
  return (text || "")
    .split(/\n{2,}/)
    .filter((part) => part.trim())
    .map((part) =>
      element(
        "p",
        {},
        ...part.split("`").map((piece, index) => (index % 2 ? element("code", {}, piece) : piece)),
      ),
    );
}
