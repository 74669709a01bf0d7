// Many who ask at once from one address: a node that says when to come again is asked again then.
import { pause } from "./pause";

const TRIES = 6;
const LONGEST = 10; // seconds

/** What is answered, asked again while the answer is that there are too many and when to come again: nothing was done then. */
export async function patiently(
  ask: () => Promise<Response>,
  wait: (ms: number) => Promise<void> = pause,
  random: () => number = Math.random,
): Promise<Response> {
  for (let tries = 1; ; tries += 1) {
    const answer = await ask();
    const seconds = Number(answer.headers.get("Retry-After"));
    const isBusy = (answer.status === 429 || answer.status === 503) && seconds > 0 && seconds <= LONGEST;
    if (!isBusy || tries === TRIES) return answer;
    // Those who were refused together do not come again together.
    await wait((0.5 + random()) * seconds * 1000);
  }
}
