/** Again: ask a server that is away until it answers. */

import { ApiError, Offline } from "../server/errors";

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 5000;

/**
 * Ask until there is an answer, or a refusal that no further asking would change.
 *
 * @param wanted Whether the answer is still wanted.
 * @param failed Told of each failure that another attempt follows.
 */
export async function again<T>(
  ask: () => Promise<T>,
  wanted: () => boolean,
  failed: (error: unknown) => void = () => {},
): Promise<T> {
  for (let pause = FIRST_PAUSE; ; pause = Math.min(LONGEST_PAUSE, pause * 2)) {
    try {
      return await ask();
    } catch (error) {
      if (!isPassing(error) || !wanted()) throw error;
      failed(error);
      await new Promise((done) => setTimeout(done, pause));
      if (!wanted()) throw error;
    }
  }
}

/** Whether the same request may do better later. */
export const isPassing = (error: unknown): boolean =>
  error instanceof Offline ||
  (error instanceof ApiError && (error.status >= 500 || error.status === 429));
