/** The dialogs; none of them is in the first view. */

import { Suspense, useEffect, useState } from "react";
import { useUi } from "../editor";
import { Palette } from "../panels/Palette";
import { OtherDialogs } from "./parts";

export function AllDialogs() {
  // The palette is typed into while it opens, so it is there before; the others can be waited for.
  const open = useUi((state) => state.dialog !== null && state.dialog.kind !== "palette");
  const [wanted, setWanted] = useState(open);
  useEffect(() => {
    // They stay once they were there, so that they can close in their own time.
    if (open) setWanted(true);
  }, [open]);
  return (
    <>
      <Palette />
      <Suspense>{wanted && <OtherDialogs />}</Suspense>
    </>
  );
}
