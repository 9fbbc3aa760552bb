/** The browser tells when a job is over while the page is not seen, if the user wants that. */

import type { Job } from "../store/runs";
import type { SettingsStore } from "../store/settings";

export interface Notify {
  /** Tell that a job is over. */
  tell(job: Job, sentence: string): void;
}

/** @param told Something that the user should know. */
export function makeNotify(settings: SettingsStore, told: (sentence: string) => void): Notify {
  settings.subscribe((now, before) => {
    // Only what the user does may ask for the permission, and what another window set is not.
    if (now.values.notify && !before.values.notify && document.hasFocus()) void ask(told);
  });
  return {
    tell(job, sentence) {
      if (!settings.getState().values.notify || !document.hidden) return;
      if (typeof Notification === "undefined" || Notification.permission !== "granted") return;
      // The newest of a workflow takes the place of the one before.
      try {
        const shown = new Notification("nodeflow", { body: sentence, tag: job.name });
        shown.onclick = () => {
          window.focus();
          shown.close();
        };
      } catch {
        // On phones only service workers may; what is said on the page is still said.
      }
    },
  };
}

async function ask(told: (sentence: string) => void): Promise<void> {
  if (typeof Notification === "undefined") {
    told("This browser lets only pages with an address of https, or of this machine, notify.");
    return;
  }
  const answer = await Notification.requestPermission();
  if (answer === "denied") {
    told("The browser does not let this page notify; allow it in the settings of the site.");
  }
}
