import { type ReactNode, useSyncExternalStore } from "react";
import type { Questions } from "./confirm";
import { Confirm } from "./Dialog";
import { Toasts } from "./Toasts";
import { TooltipProvider } from "./Tooltip";
import type { Toasts as ToastStore } from "./toasts_store";

interface UiProviderProps {
  readonly toasts: ToastStore;
  readonly questions: Questions;
  readonly children: ReactNode;
}

/** Around the page: its tooltips, messages and questions. */
export function UiProvider({ toasts, questions, children }: UiProviderProps) {
  const question = useSyncExternalStore(questions.subscribe, questions.current);
  return (
    <TooltipProvider>
      {children}
      <Toasts toasts={toasts} />
      {question && <Confirm {...question} open onAnswer={questions.answer} />}
    </TooltipProvider>
  );
}
