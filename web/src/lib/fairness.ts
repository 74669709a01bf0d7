// How a stream treats those who bet, as its engine publishes it (docs/live.md, Fairness); nothing here knows an engine.
import { rate } from "./format";
import { isRecord } from "./listings";
import { readInt } from "./sessions";

/** What half of the answers, 99 of 100 and the slowest took, microseconds; undefined where there are none. */
export type Times = { readonly p50: bigint; readonly p99: bigint; readonly most: bigint } | undefined;

export type Fairness = {
  readonly accepted: bigint;
  readonly refused: bigint;
  /** Parts per million that were taken; undefined where nobody asked. */
  readonly acceptance: bigint | undefined;
  readonly refusals: readonly (readonly [name: string, count: bigint])[];
  readonly receipts: Times;
  readonly refusalTimes: Times;
  readonly pictureDelayMs: bigint;
  readonly questions: bigint;
  readonly quotes: bigint;
  readonly books: bigint;
  readonly booksConfirmed: bigint;
  readonly results: bigint;
  readonly resultsMissing: bigint;
  readonly epochs: bigint;
  /** Unix milliseconds from which on answers are in the record; undefined before the first. */
  readonly since: bigint | undefined;
  readonly coveredMs: bigint;
};

const TO = "\u00a0";

/** The figures of a frame, the most frequent refusal first. Raises Refusal where one is missing. */
export function readFairness(frame: Record<string, unknown>): Fairness {
  const orNone = (told: unknown) => (told === null ? undefined : readInt(told));
  const refusals = isRecord(frame.refusals) ? Object.entries(frame.refusals) : [];
  return {
    accepted: readInt(frame.accepted),
    refused: readInt(frame.refused),
    acceptance: orNone(frame.acceptance_ppm),
    refusals: refusals
      .map(([name, count]) => [name.replaceAll("_", " "), readInt(count)] as const)
      .sort((one, other) => Number(other[1] - one[1]) || (one[0] < other[0] ? -1 : 1)),
    receipts: timesOf(frame.receipt_us),
    refusalTimes: timesOf(frame.refusal_us),
    pictureDelayMs: readInt(frame.picture_delay_ms),
    questions: readInt(frame.questions),
    quotes: readInt(frame.quotes),
    books: readInt(frame.books),
    booksConfirmed: readInt(frame.books_confirmed),
    results: readInt(frame.results),
    resultsMissing: readInt(frame.results_missing),
    epochs: readInt(frame.epochs),
    since: orNone(frame.since),
    coveredMs: readInt(frame.covered_ms),
  };
}

function timesOf(told: unknown): Times {
  if (isRecord(told) && told.p50 === null) return undefined;
  const { p50, p99, most } = isRecord(told) ? told : {};
  return { p50: readInt(p50), p99: readInt(p99), most: readInt(most) };
}

/** A time in the largest unit that leaves a whole part; rounded up: "850 µs", "2.4 ms", "1.3 s". */
export function shortTime(us: bigint): string {
  if (us < 1_000n) return `${us}${TO}µs`;
  const [unit, name] = us < 1_000_000n ? [1_000n, "ms"] : [1_000_000n, "s"];
  const tenths = (us * 10n + unit - 1n) / unit;
  return `${(tenths / 10n).toLocaleString("en")}.${tenths % 10n}${TO}${name}`;
}

/** Times of answers in words. */
export const timesText = (times: Times) =>
  times
    ? `half within ${shortTime(times.p50)}, 99${TO}% within ${shortTime(times.p99)}, the slowest ${shortTime(times.most)}`
    : "none yet";

/** How many bets were taken: "3 of 4 (75.00 %)". */
export function takenText({ accepted, refused, acceptance }: Fairness): string {
  if (acceptance === undefined) return "nobody has asked yet";
  const all = accepted + refused;
  return `${accepted.toLocaleString("en")} of ${all.toLocaleString("en")} (${rate(Number(acceptance) / 1e6)})`;
}

/** A refusal's share of all answers. */
export const shareText = (count: bigint, { accepted, refused }: Fairness) => rate(Number(count) / Number(accepted + refused));

/** Where the public files are: a URL of the engine's choice, or a path at its own door; undefined where there are none. */
export function filesAt(engine: URL, files: unknown): string | undefined {
  if (typeof files !== "string") return undefined;
  const door = new URL(engine);
  door.protocol = engine.protocol === "wss:" ? "https:" : "http:";
  try {
    const url = new URL(files.endsWith("/") ? files : `${files}/`, door.origin);
    return ["http:", "https:"].includes(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}
