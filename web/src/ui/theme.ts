/** Which theme the page shows; the colours are in theme.css. */

type ThemeChoice = "dark" | "light" | "system";

/** Show a theme, and follow the system if that was chosen. The function it gives stops following. */
export function applyTheme(choice: ThemeChoice, root = document.documentElement): () => void {
  const set = (light: boolean) => {
    root.dataset.theme = light ? "light" : "dark";
  };
  if (choice !== "system") {
    set(choice === "light");
    return () => undefined;
  }
  const wish = window.matchMedia("(prefers-color-scheme: light)");
  const follow = () => set(wish.matches);
  follow();
  wish.addEventListener("change", follow);
  return () => wish.removeEventListener("change", follow);
}
