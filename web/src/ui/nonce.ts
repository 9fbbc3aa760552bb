/**
 * The page's policy allows only styles that bear its nonce.
 *
 * Dialogs and menus of radix lock the page's scroll with a style of their own, which asks get-nonce.
 * Its ScrollArea and Select would need the nonce as a property; neither is used here.
 */

import { setNonce } from "get-nonce";

/** Hand the nonce of the page to the libraries; call it before anything is drawn. */
export function adoptNonce(page: Document = document): void {
  const nonce = page.querySelector('meta[name="csp-nonce"]')?.getAttribute("content");
  if (nonce) setNonce(nonce);
}
