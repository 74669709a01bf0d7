// Waiting for one's turn: a market takes one bet every few seconds, and whoever pressed once need not press again.
import { Refusal } from "./errors";
import type { Tell } from "./pending";

const LOOK_MS = 500;
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/**
 * Returns when it is the person's turn; `before` is how many come first, where that is known. Raises a Refusal where the quote
 * does not hold any more, and where the person calls it off; nothing was sent then.
 */
export async function myTurn(
  secondsLeft: () => number,
  holds: () => boolean,
  tell: Tell,
  signal: AbortSignal,
  wait: (ms: number) => Promise<void> = pause,
  before = 0,
): Promise<void> {
  const line = before > 0 ? `, ${before} before you` : "";
  for (;;) {
    if (signal.aborted) throw new Refusal("You called it off. Nothing was sent.");
    if (!holds()) throw new Refusal("The price has moved while you waited. Nothing was sent: look at the new odds.");
    const left = secondsLeft();
    if (left <= 0) return;
    tell(`your bet waits for its turn: ${Math.ceil(left)} s${line}`, true);
    await wait(Math.min(LOOK_MS, left * 1000));
  }
}
