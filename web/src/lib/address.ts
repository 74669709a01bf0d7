// Where a host is, as a person types it.
import { Refusal } from "./errors";

/** An address as a WebSocket's; encrypted unless it says otherwise. Raises Refusal where it is none. */
export function socketUrl(text: string): URL {
  const trimmed = text.trim();
  try {
    return new URL(/^wss?:\/\//i.test(trimmed) ? trimmed : `wss://${trimmed}`);
  } catch {
    throw new Refusal("Say where the host is, for example wss://bets.example.");
  }
}
