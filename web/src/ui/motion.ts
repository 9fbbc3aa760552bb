/** Whether things glide or jump: as the user has set it, or as the system wishes. */

const WISH = "(prefers-reduced-motion: reduce)";

/** Mark the page, which styles and the canvas read; gives a way to stop following the system. */
export function applyMotion(choice: "system" | "full" | "reduced"): () => void {
  const query = window.matchMedia(WISH);
  const apply = () => {
    const reduced = choice === "reduced" || (choice === "system" && query.matches);
    document.documentElement.dataset.motion = reduced ? "reduced" : "full";
  };
  apply();
  query.addEventListener("change", apply);
  return () => query.removeEventListener("change", apply);
}

export const isCalm = (): boolean => document.documentElement.dataset.motion === "reduced";
