/** A name that nobody else has. */
export function newKey(): string {
  // `randomUUID` is there only for pages that came by TLS or from this machine.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
