// Sessions of micro-bets: what is signed, which states are legal, what is shown with a quote, and a stream's record. The twin of
// tessera/model/sessions and tessera/model/loss; nothing here knows an engine or a chain.
import {
  firstHeadFields,
  headFields,
  offerLayout,
  type OfferTerms,
  packOffer,
  reportsDomain,
  reportTypes,
  sessionsDomain,
  sessionTypes,
} from "@tessera/abi";
import {
  type Address,
  concat,
  encodeAbiParameters,
  getAddress,
  hashTypedData,
  type Hex,
  isHex,
  keccak256,
  numberToHex,
  recoverAddress,
  size,
  slice,
  toHex,
} from "viem";
import { Refusal } from "./errors";
import { isRecord } from "./listings";

export type OpenBet = {
  readonly question: Hex;
  readonly quote: Hex;
  readonly lock: bigint;
  readonly report_by: bigint;
  readonly choice: bigint;
  readonly stake: bigint;
  readonly liability: bigint;
};
export type State = {
  readonly seq: bigint;
  readonly prev: bigint;
  readonly net: bigint;
  readonly activated: boolean;
  readonly open_bets: readonly OpenBet[];
};
export type Choice = { readonly low: bigint; readonly high: bigint };
export type Question = {
  readonly kind: bigint;
  readonly stream_id: bigint;
  readonly text: string;
  readonly lock: bigint;
  readonly start: bigint;
  readonly end: bigint;
  readonly report_by: bigint;
  readonly symbols: bigint;
  readonly choices: readonly Choice[];
};
export type Quote = {
  readonly stream_id: bigint;
  readonly question: Hex;
  readonly odds: readonly bigint[];
  readonly greatest_liability: bigint;
  readonly number: bigint;
  readonly valid_until: bigint;
};
export type Book = {
  readonly question: Hex;
  readonly stream_id: bigint;
  readonly root: Hex;
  readonly n: bigint;
  readonly head: Hex;
};
export type Close = { readonly net: bigint; readonly activated: boolean; readonly valid_until: bigint };
export type Refused = {
  readonly state: Hex;
  readonly stream_id: bigint;
  readonly code: bigint;
  readonly refused_at: bigint;
};
export type Line = {
  readonly n: bigint;
  readonly kind: bigint;
  readonly epoch: bigint;
  readonly question: Hex;
  readonly leaf: Hex;
};
/** A signature in the two words of EIP-2098, as contracts take it. */
export type Signature = { readonly r: bigint; readonly vs: bigint };
export type Receipt = { readonly n: bigint; readonly epoch: bigint; readonly head: Hex; readonly signature: Signature };
export type Proof = { readonly root: Hex; readonly proof: readonly Hex[] };

/** The outcome of a question; null: none came in time. */
export type Outcome = bigint | null;
export type Outcomes = ReadonlyMap<Hex, Outcome>;

export const EMPTY: State = { seq: 0n, prev: 0n, net: 0n, activated: false, open_bets: [] };
const ZERO: Hex = `0x${"00".repeat(32)}`;
export const NO_SIGNATURE: Signature = { r: 0n, vs: 0n };
export const NO_RECEIPT: Receipt = { n: 0n, epoch: 0n, head: ZERO, signature: NO_SIGNATURE };
export const NO_PROOF: Proof = { root: ZERO, proof: [] };
export const MOST_OPEN = 16;
const [NO_CHOICE, NEVER] = [16n, 2n ** 256n - 1n];
const PPM = 1_000_000n;
const ODDS_UNIT = 1_000n;
const LATE_RESULTS = 86_400n;

// What is read and sent: integers are decimal text, bytes 0x hex, signatures 64 bytes.

const NOT_KNOWN = "The engine says something that this page does not know.";
type Types = typeof sessionTypes;

const READ: Record<string, (value: unknown) => unknown> = {
  bytes32: (value) => (isHex(value) && size(value) === 32 ? value.toLowerCase() : undefined),
  string: (value) => (typeof value === "string" && value.length <= 500 ? value : undefined),
  uint256: (value) => (typeof value === "string" && /^\d{1,78}$/.test(value) ? BigInt(value) : undefined),
  int256: (value) => (typeof value === "string" && /^-?\d{1,78}$/.test(value) ? BigInt(value) : undefined),
  bool: (value) => (typeof value === "boolean" ? value : undefined),
};

function readAs(type: string, value: unknown): unknown {
  if (type.endsWith("[]")) {
    if (!Array.isArray(value) || value.length > 16) return undefined;
    const items = value.map((item) => readAs(type.slice(0, -2), item));
    return items.includes(undefined) ? undefined : items;
  }
  return type in sessionTypes ? structOf(type as keyof Types, value) : READ[type]!(value);
}

function structOf(type: keyof Types, told: unknown): unknown {
  if (!isRecord(told)) return undefined;
  // Which session it is does not stand in what is told of it.
  const fields = sessionTypes[type].filter(({ name }) => name !== "session");
  const values = fields.map(({ name, type }) => [name, readAs(type, told[name])] as const);
  return values.some(([, value]) => value === undefined) ? undefined : Object.fromEntries(values);
}

/** What is told, as a type of what is signed. Raises Refusal where it is none. */
export function read<T>(type: Exclude<keyof Types, "Offer" | "Receipt">, told: unknown): T {
  const value = structOf(type, told);
  if (value === undefined) throw new Refusal(NOT_KNOWN);
  return value as T;
}

export function readOffer(told: unknown): OfferTerms {
  if (!isRecord(told)) throw new Refusal(NOT_KNOWN);
  const terms = offerLayout.map(({ field, bits }) => {
    const value = bits === 160 ? told[field] : READ.uint256!(told[field]);
    if (value === undefined || (bits === 160 && !isHex(value))) throw new Refusal(NOT_KNOWN);
    return [field, value];
  });
  return Object.fromEntries(terms) as OfferTerms;
}

export function readInt(told: unknown): bigint {
  const value = READ.int256!(told);
  if (value === undefined) throw new Refusal(NOT_KNOWN);
  return value as bigint;
}

export function readHash(told: unknown): Hex {
  const value = READ.bytes32!(told);
  if (value === undefined) throw new Refusal(NOT_KNOWN);
  return value as Hex;
}

export const readHashes = (told: unknown): Hex[] => (Array.isArray(told) ? told.map(readHash) : []);

export function readSignature(told: unknown): Signature {
  if (!isHex(told) || size(told) !== 64) throw new Refusal(NOT_KNOWN);
  return { r: BigInt(slice(told, 0, 32)), vs: BigInt(slice(told, 32, 64)) };
}

export const readSignatures = (told: unknown): Signature[] => (isRecord(told) ? Object.values(told).map(readSignature) : []);

export function readReceipt(told: unknown): Receipt {
  if (!isRecord(told)) throw new Refusal(NOT_KNOWN);
  const { n, epoch, head, signature } = told;
  return { n: readInt(n), epoch: readInt(epoch), head: readHash(head), signature: readSignature(signature) };
}

export function readLine(told: Record<string, unknown>): Line {
  const { n, kind, epoch, question, leaf } = told;
  return {
    n: readInt(n),
    kind: readInt(kind),
    epoch: readInt(epoch),
    question: readHash(question),
    leaf: readHash(leaf),
  };
}

const word = (value: bigint) => numberToHex(value, { size: 32 });
export const signatureText = ({ r, vs }: Signature): Hex => concat([word(r), word(vs)]);

/** Anything of the above as it is sent and kept. */
export function written(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return value.map(written);
  if (!isRecord(value)) return value;
  const { r, vs } = value;
  if (typeof r === "bigint" && typeof vs === "bigint") return signatureText({ r, vs });
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, written(part)]));
}

// What is signed.

const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;
const S_MASK = 2n ** 255n - 1n;

/** MicroSessions on a chain, and the panels that it asks. */
export type Place = { readonly chainId: number; readonly sessions: Address; readonly panels: Address };

export const offerWords = (offer: OfferTerms) => packOffer(offer);

/** The EIP-712 digest of something of a stream. `session`: of which session it is, where its type has that. */
export function digestOf(place: Place, primaryType: keyof Types, value: object, session?: Hex): Hex {
  const message = { ...(primaryType === "Offer" ? packOffer(value as OfferTerms) : value), ...(session && { session }) };
  const domain = { ...sessionsDomain, chainId: place.chainId, verifyingContract: place.sessions };
  return hashTypedData({ domain, types: sessionTypes, primaryType, message } as unknown as Parameters<typeof hashTypedData>[0]);
}

/** Who signed a digest; undefined where the signature is none, also where contracts would not take it. */
export async function signerOf(hash: Hex, { r, vs }: Signature): Promise<Address | undefined> {
  const s = vs & S_MASK;
  if (s === 0n || s > HALF_ORDER || r === 0n) return undefined;
  const signature = { r: word(r), s: word(s), yParity: Number(vs >> 255n) };
  return recoverAddress({ hash, signature: signature as never }).catch(() => undefined);
}

/** What `Panels` asks under a key: a question's hash, or a book's key. Times in unix seconds. */
export const asked = ({ sessions }: Place, key: Hex, { lock, report_by }: Pick<OpenBet, "lock" | "report_by">) => ({
  product: sessions,
  key,
  not_before: (lock + 999n) / 1_000n,
  deadline: report_by / 1_000n,
});

/** What an observer signs to report an outcome of what is asked. */
export function reportOf(place: Place, panelId: bigint, question: ReturnType<typeof asked>, outcome: bigint): Hex {
  const domain = { ...reportsDomain, chainId: place.chainId, verifyingContract: place.panels };
  const message = { panel_id: panelId, ...question, outcome };
  return hashTypedData({ domain, types: reportTypes, primaryType: "Report", message });
}

// The record of a stream.

export const firstHead = ({ chainId, sessions }: Place, streamId: bigint): Hex =>
  keccak256(encodeAbiParameters(firstHeadFields, [BigInt(chainId), sessions, streamId]));

export const nextHead = (head: Hex, { n, kind, epoch, question, leaf }: Line): Hex =>
  keccak256(encodeAbiParameters(headFields, [head, n, kind, epoch, question, leaf]));

const parent = (left: Hex, right: Hex) => keccak256(concat(left < right ? [left, right] : [right, left]));
const above = (level: readonly Hex[]) =>
  level.flatMap((leaf, at) => (at % 2 ? [] : [at + 1 < level.length ? parent(leaf, level[at + 1]!) : leaf]));

/** The root of a question's book; undefined where it has no bets. */
export function bookRoot(leaves: readonly Hex[]): Hex | undefined {
  let level = leaves;
  while (level.length > 1) level = above(level);
  return level[0];
}

/** The way from a leaf to the root. */
export function bookProof(leaves: readonly Hex[], leaf: Hex): Hex[] {
  const proof: Hex[] = [];
  let [level, place] = [leaves, leaves.indexOf(leaf)];
  for (; level.length > 1; place >>= 1) {
    const sibling = level[place ^ 1];
    if (sibling !== undefined) proof.push(sibling);
    level = above(level);
  }
  return proof;
}

export const bookKey = (question: Hex, root: Hex): Hex => keccak256(concat([toHex("book"), question, root]));

// Questions.

// Seconds from start to end, by kind: binary, quantity, timing, pattern.
const WINDOWS: readonly (readonly [bigint, bigint])[] = [
  [5n, 120n],
  [10n, 300n],
  [5n, 600n],
  [10n, 300n],
];

/** Raises Refusal for a question that nobody should bet on. */
export function checkQuestion({ kind, lock, start, end, report_by, choices }: Question): void {
  const window = WINDOWS[Number(kind)];
  const ordered = [...choices].sort((one, other) => (one.low < other.low ? -1 : 1));
  const isFit =
    window !== undefined &&
    lock + 3_000n <= start &&
    end < report_by &&
    end - start >= window[0] * 1_000n &&
    end - start <= window[1] * 1_000n &&
    choices.length >= 2 &&
    choices.every(({ low, high }) => low <= high) &&
    ordered.every(({ low }, at) => at === 0 || low > ordered[at - 1]!.high);
  if (!isFit) throw new Refusal("The engine asks a question that nobody should bet on.");
}

const seconds = (ms: bigint) => `${Number(ms) / 1_000}`;

/** A choice in words. */
export function choiceText({ kind }: Question, { low, high }: Choice): string {
  switch (Number(kind)) {
    case 0:
      return low === 1n ? "yes" : "no";
    case 1:
      return low === high ? `${low}` : `${low} to ${high}`;
    case 2:
      return low === NEVER ? "never" : `after ${seconds(low)} to ${seconds(high)} s`;
    default:
      return String.fromCharCode(...(low.toString(16).padStart(2, "0").match(/../g) ?? []).map((byte) => parseInt(byte, 16)));
  }
}

// Quotes.

/** A division rounded up; what is below 0 is cut, which is up. */
const up = (value: bigint, by: bigint) => (value > 0n ? (value + by - 1n) / by : value / by);

/** What a player sees with a quote, in parts per million of a stake, for each choice. */
export type Shown = {
  readonly chances: readonly bigint[];
  readonly losses: readonly bigint[];
  readonly gross: readonly bigint[];
  /** The edge that the odds have by themselves; undefined where it may be that no choice wins. */
  readonly margin: bigint | undefined;
  readonly delayMs: number;
};

const positives = (told: unknown): bigint[] | undefined => readAs("uint256[]", told) as bigint[] | undefined;

const numbers = (told: unknown): bigint[] | undefined =>
  Array.isArray(told) && told.every((one) => READ.int256!(one) !== undefined)
    ? told.map((one) => BigInt(one as string))
    : undefined;

/** The edge of odds by themselves, parts per million, rounded up: 1 - 1 / sum(1 / odds). */
export function marginOf(odds: readonly bigint[]): bigint {
  const product = odds.reduce((all, one) => all * one, 1n);
  const sum = odds.reduce((all, one) => all + (ODDS_UNIT * product) / one, 0n);
  return up(PPM * (sum - product), sum);
}

/** What a stake loses on average by a chance, parts per million, rounded up; below 0 where the player has the edge. */
export const lossOf = (odds: bigint, chance: bigint): bigint => up(PPM * ODDS_UNIT - chance * odds, ODDS_UNIT);

/** Edge, expected losses and delay of a quote. Raises Refusal where one of them is missing, or smaller than it is. */
export function shownWith({ odds }: Quote, told: Record<string, unknown>): Shown {
  const [chances, losses, gross] = [positives(told.chances_ppm), numbers(told.loss_ppm), positives(told.gross_loss_ppm)];
  const delay = READ.uint256!(told.picture_delay_ms) as bigint | undefined;
  const lists = [chances, losses, gross];
  if (delay === undefined || lists.some((list) => list === undefined || list.length !== odds.length)) {
    throw new Refusal("The engine quotes odds without saying what they cost: nobody can bet on them here.");
  }
  const sum = chances!.reduce((all, one) => all + one, 0n);
  const margin = sum === PPM ? marginOf(odds) : undefined;
  const isTrue =
    sum <= PPM &&
    odds.every(
      (one, at) => one > ODDS_UNIT && losses![at] === lossOf(one, chances![at]!) && gross![at] === PPM - chances![at]!,
    ) &&
    (margin === undefined ? told.margin_ppm === null : told.margin_ppm === margin.toString());
  if (!isTrue) throw new Refusal("The engine says that its odds cost less than they do: nobody can bet on them here.");
  return { chances: chances!, losses: losses!, gross: gross!, margin, delayMs: Number(delay) };
}

/** What the house puts beside a stake at odds in thousandths; rounded down. */
export const liabilityOf = (stake: bigint, odds: bigint) => (stake * (odds - ODDS_UNIT)) / ODDS_UNIT;

// States.

/** What a bet changes its player's net by. */
export function gainOf({ choice, stake, liability }: OpenBet, outcome: Outcome): bigint {
  if (outcome === null || outcome > NO_CHOICE) return 0n;
  return outcome === choice ? liability : -stake;
}

/** Net and open bets once results are known. */
export function fold({ net, open_bets }: State, outcomes: Outcomes): { net: bigint; waiting: OpenBet[] } {
  const gains = open_bets.map((bet) => (outcomes.has(bet.question) ? gainOf(bet, outcomes.get(bet.question)!) : 0n));
  return {
    net: gains.reduce((sum, gain) => sum + gain, net),
    waiting: open_bets.filter(({ question }) => !outcomes.has(question)),
  };
}

const least = (one: bigint, other: bigint) => (one < other ? one : other);

/** The state that adds a bet to `base` and folds all known results. Raises Refusal where nobody should sign it. */
export function successor(offer: OfferTerms, base: State, bet: OpenBet, outcomes: Outcomes, seq: bigint, topUps: bigint): State {
  const { net, waiting } = fold(base, outcomes);
  const open_bets = [...waiting, bet];
  const [stakeCap, lossCap, deposit, houseLock, expires] = (
    ["stake_cap", "loss_cap", "deposit", "house_lock", "expires_at"] as const
  ).map((field) => BigInt(offer[field])) as [bigint, bigint, bigint, bigint, bigint];
  const sum = (field: "stake" | "liability") => open_bets.reduce((all, one) => all + one[field], 0n);
  const refuse = (words: string) => {
    throw new Refusal(`${words} Nothing was signed.`);
  };
  if (!base.activated || seq <= base.seq) refuse("The session has not begun.");
  if (open_bets.length > MOST_OPEN) refuse(`At most ${MOST_OPEN} bets can be open at once: wait for a result.`);
  if (bet.stake <= 0n || bet.stake > stakeCap || bet.liability <= 0n) refuse("The stake is not one that this session allows.");
  if (bet.lock > expires * 1_000n || bet.report_by / 1_000n > expires + LATE_RESULTS)
    refuse("The bet would outlive the session.");
  if (net - sum("stake") < -least(deposit + topUps, lossCap)) refuse("You would bet more than is left to lose.");
  if (net + sum("liability") > houseLock) refuse("You could win more than the house has locked.");
  return { seq, prev: base.seq, net, activated: true, open_bets };
}

export const activationOf = (base: State): State => ({ ...base, seq: base.seq + 1n, prev: base.seq, activated: true });

// What people sign in words.

const words = (first: string, place: Place, at: number) =>
  `${first}\nContract: ${place.sessions.toLowerCase()}\nChain: ${place.chainId}\nAt: ${at}`;

/** What a wallet signs to be offered a session; at unix milliseconds. */
export const offerText = (place: Place, streamId: bigint, sessionKey: Address, deposit: bigint, lossCap: bigint, at: number) =>
  words(
    `Offer me a session on stream ${streamId}, whose bets ${sessionKey.toLowerCase()} signs.\nDeposit: ${deposit}\n` +
      `Loss cap: ${lossCap}\nThis costs nothing and moves no money.`,
    place,
    at,
  );

/** What a wallet signs to change a limit of its own; at unix milliseconds. */
export const limitText = (place: Place, streamId: bigint, kind: string, value: bigint | undefined, at: number) =>
  words(`Change my ${kind} on stream ${streamId} to ${value ?? "none"}.\nThis costs nothing and moves no money.`, place, at);

/** What a session key signs to be told of its session. */
export const followText = (place: Place, session: Hex, at: number) => words(`Tell me of session ${session}.`, place, at);

export const addressOf = (told: unknown): Address => {
  if (!isHex(told) || size(told) !== 20) throw new Refusal(NOT_KNOWN);
  return getAddress(told);
};
