/** All dialogs but the palette. */

import { Dialogs } from "../panels/Dialogs";
import { MaskDialog } from "../panels/mask/MaskDialog";
import { PictureDialog } from "../panels/PictureDialog";
import { SettingsDialog } from "../panels/SettingsDialog";
import { ShortcutsDialog } from "../panels/ShortcutsDialog";
import { TemplatesDialog } from "../panels/TemplatesDialog";

export function OtherDialogs() {
  return (
    <>
      <Dialogs />
      <MaskDialog />
      <PictureDialog />
      <SettingsDialog />
      <ShortcutsDialog />
      <TemplatesDialog />
    </>
  );
}
