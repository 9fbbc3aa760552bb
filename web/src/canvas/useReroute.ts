/** The type of what passes a reroute. */

import { outputType } from "../doc/joins";
import { extendFrom } from "../doc/reroutes";
import { useLibrary, useTab } from "../editor";
import { graphOf, workflowOf } from "../store/tabs";

export function useRerouteType(id: string): string {
  const library = useLibrary((state) => state.library);
  const type = useTab((tab) => {
    const graph = graphOf(tab);
    const start = extendFrom(graph, id);
    return start ? outputType(start.from, graph, workflowOf(tab), library) : "any";
  });
  return type ?? "any";
}
