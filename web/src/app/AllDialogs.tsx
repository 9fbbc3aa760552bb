/** The dialogs; none of them is in the first view. */

import { Dialogs } from "../panels/Dialogs";
import { MaskDialog } from "../panels/mask/MaskDialog";
import { Palette } from "../panels/Palette";
import { PictureDialog } from "../panels/PictureDialog";
import { SettingsDialog } from "../panels/SettingsDialog";
import { ShortcutsDialog } from "../panels/ShortcutsDialog";
import { TemplatesDialog } from "../panels/TemplatesDialog";

export function AllDialogs() {
  return (
    <>
      <Dialogs />
      <MaskDialog />
      <Palette />
      <PictureDialog />
      <SettingsDialog />
      <ShortcutsDialog />
      <TemplatesDialog />
    </>
  );
}
