// Where a host or an engine is, as a person types it.
import { Refusal } from "./errors";

/** Addresses, one or several with spaces or commas between, as WebSockets'; encrypted unless they say otherwise. Raises Refusal
 * where one is none. */
export function socketUrls(text: string): readonly URL[] {
  try {
    return text
      .trim()
      .split(/[\s,]+/)
      .map((address) => new URL(/^wss?:\/\//i.test(address) ? address : `wss://${address}`));
  } catch {
    throw new Refusal("Say where it is, for example wss://bets.example.");
  }
}
