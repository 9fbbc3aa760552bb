/** The server is away: since when, and that nothing is lost. */

import { useEditor, useRuns } from "../editor";
import { Button } from "../ui/Button";
import { Icon } from "../ui/icons";
import css from "./ConnectionBanner.module.css";

export function ConnectionBanner() {
  const { runs, ui } = useEditor();
  const connection = useRuns((state) => state.connection);
  if (connection.state !== "offline") return null;
  const since = new Date(connection.since).toLocaleTimeString();
  return (
    <div className={css.banner} role="alert">
      <Icon name="warning" />
      The server is away since {since}. What you do here is kept, and it is asked again by itself.
      <Button onClick={() => void runs.refresh().then(() => ui.say("Asked again."))}>
        Try now
      </Button>
    </div>
  );
}
