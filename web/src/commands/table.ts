/** All commands. */

import type { Command } from "./command";
import { EDIT_COMMANDS } from "./edit";
import { FILE_COMMANDS } from "./files";
import { GRAPH_COMMANDS } from "./graph";
import { GROUP_COMMANDS } from "./groups";
import { RUN_COMMANDS } from "./run";
import { VIEW_COMMANDS } from "./view";

export const COMMANDS: readonly Command[] = [
  ...FILE_COMMANDS,
  ...EDIT_COMMANDS,
  ...GRAPH_COMMANDS,
  ...GROUP_COMMANDS,
  ...RUN_COMMANDS,
  ...VIEW_COMMANDS,
];
