// Waiting for one's turn: a market takes one bet every few seconds, and whoever pressed once need not press again.
import { Refusal } from "./errors";
import { pause } from "./pause";
import type { Tell } from "./pending";

const LOOK_MS = 500;
const KEEP_MS = 4000;
const [ASK_MS, LONGEST_MS] = [1000, 4000]; // for each who is before, and in all: whoever asks keeps the turn

/** A place in a market's line: how many come first, and after how many seconds it is one's turn if they are quick. */
export type Turn = { readonly place: number; readonly seconds: number };

/** Says again and again that the page is about to bet, so that its turn waits for it. */
export class Keeping {
  #timer: ReturnType<typeof setInterval> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  start(ask: () => Promise<unknown>) {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => (this.#last = ask().catch(() => {})), KEEP_MS);
  }

  /** Returns when nothing that was said is under way any more: what would arrive after the turn was given back takes another one. */
  async stop() {
    clearInterval(this.#timer);
    await this.#last;
  }
}

/**
 * Returns when it is the person's turn: those before have bet or were too slow, and `secondsLeft`, which the market itself asks
 * for, are over. `ask` tells the turn; undefined where nobody gives turns. Raises a Refusal where the quote does not hold any more,
 * and where the person calls it off; nothing was sent then.
 */
export async function myTurn(
  ask: () => Promise<Turn | undefined>,
  secondsLeft: () => number,
  holds: () => boolean,
  tell: Tell,
  signal: AbortSignal,
  wait: (ms: number) => Promise<void> = pause,
  now: () => number = () => performance.now(),
): Promise<void> {
  let turn = await ask();
  let at = now() + (turn?.seconds ?? 0) * 1000;
  for (;;) {
    if (signal.aborted) throw new Refusal("You called it off. Nothing was sent.");
    if (!holds()) throw new Refusal("The price has moved while you waited. Nothing was sent: look at the new odds.");
    const left = Math.max(secondsLeft(), (at - now()) / 1000);
    if (left <= 0) {
      if (!turn?.place) return;
      // Whoever is before has bet by now, or is slow: the club's node knows.
      turn = await ask();
      at = now() + (turn?.seconds ?? 0) * 1000;
      if (!turn?.place || at > now()) continue;
    }
    const line = turn?.place ? `, ${turn.place} before you` : "";
    tell(`your bet waits for its turn: ${Math.ceil(Math.max(left, 0))} s${line}`, true);
    await wait(left > 0 ? Math.min(LOOK_MS, left * 1000) : Math.min(ASK_MS * turn!.place, LONGEST_MS));
  }
}
