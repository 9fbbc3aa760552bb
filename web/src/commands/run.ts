import type { Editor } from "../editor";
import type { Command } from "./command";
import { hasTab, nodesInHand, selectedNodes } from "./selection";

const jobActive = ({ tabs, runs }: Editor): boolean => {
  const job = tabs.current()?.job;
  const status = job ? runs.getState().jobs[job]?.status : undefined;
  return status === "running" || status === "queued";
};

export const RUN_COMMANDS: readonly Command[] = [
  {
    id: "run.start",
    title: "Run",
    group: "Run",
    icon: "play",
    keys: "Mod+Enter",
    always: true,
    when: hasTab,
    run: ({ actions }) => actions.run.start(),
  },
  {
    id: "run.first",
    title: "Run before all that waits",
    group: "Run",
    keys: "Mod+Shift+Enter",
    always: true,
    when: hasTab,
    run: ({ actions }) => actions.run.start({ first: true }),
  },
  {
    id: "run.here",
    title: "Run to here",
    group: "Run",
    keys: "Alt+Enter",
    when: nodesInHand,
    run: (editor) => editor.actions.run.start({ only: selectedNodes(editor) }),
  },
  {
    id: "run.cancel",
    title: "Cancel the job",
    group: "Run",
    icon: "stop",
    keys: "Mod+Alt+Enter",
    always: true,
    when: jobActive,
    run: ({ actions }) => actions.run.cancel(),
  },
  {
    id: "run.cancel-all",
    title: "Cancel all jobs",
    group: "Run",
    run: ({ actions }) => actions.queue.cancelAll(),
  },
  {
    id: "run.pause",
    title: "Pause the queue",
    group: "Run",
    icon: "pause",
    on: ({ runs }) => runs.getState().paused,
    run: ({ actions, runs }) => actions.queue.setPaused(!runs.getState().paused),
  },
  {
    id: "run.free",
    title: "Unload models",
    group: "Run",
    run: ({ actions }) => actions.queue.free(),
  },
];
