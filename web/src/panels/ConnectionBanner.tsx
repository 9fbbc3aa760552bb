/** The server is away: since when, and that nothing is lost. */

import { useState } from "react";
import { useEditor, useRuns } from "../editor";
import { Button } from "../ui/Button";
import { Icon } from "../ui/icons";
import css from "./ConnectionBanner.module.css";

export function ConnectionBanner() {
  const { line, ui } = useEditor();
  const connection = useRuns((state) => state.connection);
  const [trying, setTrying] = useState(false);
  if (connection.state !== "offline") return null;
  const since = new Date(connection.since).toLocaleTimeString();
  const tryNow = async () => {
    setTrying(true);
    const there = await line.tryNow();
    setTrying(false);
    ui.say(there ? "The server is back." : "The server is still away.");
  };
  return (
    <div className={css.banner} role="alert">
      <Icon name="warning" />
      The server is away since {since}. What you do here is kept, and it is asked again by itself.
      <Button disabled={trying} onClick={() => void tryNow()}>
        Try now
      </Button>
    </div>
  );
}
