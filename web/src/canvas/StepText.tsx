/** Step and time left of a node that runs. */

import { useEffect, useState } from "react";
import { type NodeRun, timeLeft } from "../store/runs";
import { duration } from "./badge";

const timeOf = (seconds: number): string =>
  seconds < 1 ? "<1 s" : seconds < 60 ? `${seconds} s` : duration(seconds);

/** `5/20 · 12 s left`, counted on every second so that a slow step shows that it is alive. */
export function StepText({ run }: { run: NodeRun }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  if (!run.total) return <>{run.text || "running"}</>;
  const milliseconds = timeLeft(run, now);
  const left = milliseconds === null ? null : Math.round(milliseconds / 1000);
  return (
    <>
      {run.step}/{run.total}
      {left !== null && ` · ${timeOf(left)} left`}
    </>
  );
}
