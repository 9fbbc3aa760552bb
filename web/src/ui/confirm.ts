/** Questions that code asks, one after the other, and the answers it waits for. */

import type { ConfirmProps } from "./Dialog";

type Question = Omit<ConfirmProps, "open" | "onAnswer">;

export interface Questions {
  readonly current: () => Question | null;
  readonly subscribe: (listener: () => void) => () => void;
  /** Whether the user says yes. */
  readonly ask: (question: Question) => Promise<boolean>;
  readonly answer: (yes: boolean) => void;
}

export function createQuestions(): Questions {
  let waiting: readonly { readonly question: Question; readonly settle: (yes: boolean) => void }[] =
    [];
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  return {
    current: () => waiting[0]?.question ?? null,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ask: (question) =>
      new Promise((settle) => {
        waiting = [...waiting, { question, settle }];
        tell();
      }),
    answer(yes) {
      const [first, ...rest] = waiting;
      waiting = rest;
      first?.settle(yes);
      tell();
    },
  };
}
