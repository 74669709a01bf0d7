// The conversation with the engine of a live stream (docs/live.md). What it sends is checked before anything is shown or signed:
// against the chain, its own signatures, those of the panel's observers, and the running head of its record.
import { type Address, getAddress, type Hex, isAddress } from "viem";
import { SvelteMap } from "svelte/reactivity";
import { chain } from "./chain.svelte";
import { Conversation, type Frame } from "./conversation.svelte";
import { Refusal } from "./errors";
import { isRecord } from "./listings";
import { panelOf } from "./pots";
import {
  addressOf,
  asked,
  type Book,
  bookKey,
  bookRoot,
  checkQuestion,
  digestOf,
  limitText,
  nextHead,
  type Outcome,
  type Place,
  type Question,
  type Quote,
  read,
  readHash,
  readHashes,
  readInt,
  readLine,
  readSignature,
  readSignatures,
  reportOf,
  type Shown,
  shownWith,
  type Signature,
  signerOf,
  written,
} from "./sessions";
import { plain } from "./texts";
import { wallet } from "./wallet.svelte";

const ANSWER_MS = 10_000;
const MOST_HEADS = 20_000;
const QUOTE_LINE = 1n;
const KEPT_MS = 600_000; // a question on which nobody here has bet, after its end
const AWAY_MS = 120_000; // after which no bet can wait for its receipt: the lines since then are not asked for
export const MOST_APART_MS = 2_000; // of the engine's clock and this one
export const BOOKED = 1n;

/** Where micro-bets are on this chain; undefined where there are none. */
export function placeOfSessions(): Place | undefined {
  if (!(chain.has("MicroSessions") && chain.has("Panels"))) return undefined;
  return { chainId: chain.deployment.chainId, sessions: chain.address("MicroSessions"), panels: chain.address("Panels") };
}

/** A stream as the chain has it, and what its engine offers. Money in units. */
export type Stream = {
  readonly id: bigint;
  readonly operator: Address;
  readonly houseKey: Address;
  readonly panelId: bigint;
  readonly members: readonly Address[];
  readonly threshold: bigint;
  readonly terms: {
    readonly activation: bigint;
    readonly least_deposit: bigint;
    readonly greatest_deposit: bigint;
    readonly least_stake: bigint;
    readonly greatest_stake: bigint;
    readonly picture_delay_ms: bigint;
  };
};

/** A question with what is known of it. */
export type Asked = {
  readonly digest: Hex;
  readonly question: Question;
  readonly quote?: { readonly digest: Hex; readonly quote: Quote; readonly shown: Shown; readonly signature: Signature };
  readonly outcome?: Outcome;
};

/** A signed report of observers, as `Panels` takes it. */
export type Reported = { readonly outcome: bigint; readonly signatures: readonly Signature[] };

/** The engine refused, and nothing was bet. */
export class EngineRefused extends Refusal {
  readonly code: string;
  readonly answer: Frame;

  constructor(answer: Frame) {
    const limit = typeof answer.kind === "string" ? ` (${plain(answer.kind).replaceAll("_", " ")})` : "";
    super(`The engine refuses: ${plain(String(answer.reason)).slice(0, 300)}${limit}.`);
    [this.code, this.answer] = [String(answer.code), answer];
  }
}

class Engine extends Conversation {
  stream = $state.raw<Stream>();
  questions = new SvelteMap<Hex, Asked>();
  /** Of sessions that are followed, the newest view, unchecked: their player compares what matters. */
  views = new SvelteMap<Hex, Frame>();
  /** How the house broke its record. */
  broken = $state<string>();
  /** By how much the engine's clock is ahead of this one. */
  ahead = $state(0);
  /** Leaves of books that enough observers signed, and what they signed, by what `Panels` asks. */
  confirmed = new Map<Hex, readonly Hex[]>();
  reports = new Map<Hex, Reported>();
  books = new Map<Hex, Book>();
  heads = new Map<bigint, Hex>();
  /** Hashes of quotes by the number of their line. */
  #quoted = new Map<bigint, Hex>();
  #heardAt = 0;
  /** The line after which lines were asked for; undefined: those from now on. */
  #after: bigint | undefined;
  #isGreeted = false; // on this connection: a gateway that has reached its next engine tells the stream again
  /** What the house signed last, which shows a line that its record has lost. */
  #signed: object | undefined;
  #isChosen = false; // the address: it may be another stream's than before
  #place: Place | undefined;
  #waiting = new Map<number, (answer: Frame | Refusal) => void>();
  #number = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor() {
    super({
      query: "engine",
      last: "engine",
      ofDeployment: () => chain.deployment.liveUrl,
      port: 8800, // of `ape run live`
      path: "/ws",
    });
  }

  override connect() {
    [this.#isChosen, this.#leftOut] = [true, undefined];
    super.connect();
  }

  /** The record goes on where it was, also in an engine that has taken the stream over. */
  protected override addressed(url: URL): URL {
    this.#isGreeted = false;
    const isShort = !this.#isChosen && Date.now() - this.#heardAt < AWAY_MS;
    this.#after = isShort ? this.#last : undefined;
    if (this.#after === undefined) return url;
    const whole = new URL(url);
    whole.searchParams.set("after", this.#after.toString());
    return whole;
  }

  get #last(): bigint | undefined {
    return [...this.heads.keys()].at(-1);
  }

  /** A command's answer. Raises EngineRefused, Refusal where there is none within so many milliseconds. */
  async ask(name: string, body: object, ms = ANSWER_MS): Promise<Frame> {
    if (this.state !== "open") throw new Refusal("The engine is not connected. Nothing was sent.");
    const number = ++this.#number;
    const answer = await new Promise<Frame>((resolve, reject) => {
      const late = setTimeout(() => this.#waiting.get(number)?.(new Refusal("The engine does not answer.")), ms);
      this.#waiting.set(number, (answer) => {
        clearTimeout(late);
        this.#waiting.delete(number);
        if (answer instanceof Refusal) reject(answer);
        else resolve(answer);
      });
      this.send({ id: number, do: name, ...(written(body) as object) });
    });
    if (answer.type === "refused") throw new EngineRefused(answer);
    return answer;
  }

  /** Changes a limit that the person's wallet sets for itself; undefined takes it away. What holds then, and what waits. */
  async limit(kind: string, value: bigint | undefined): Promise<Frame> {
    const { account, client } = wallet;
    if (!account || !client || !this.stream) throw new Refusal("Connect a wallet and an engine first.");
    const at = Date.now() + this.ahead;
    const message = limitText(this.#place!, this.stream.id, kind, value, at);
    const signature = await client.signMessage({ account: client.account!, message });
    return this.ask("limit", { player: account, kind, value: value ?? null, at: BigInt(at), signature });
  }

  protected override ended() {
    for (const answer of [...this.#waiting.values()]) answer(new Refusal("The connection to the engine was lost."));
  }

  /** In their order: a receipt's line comes before it. */
  protected override take(frame: Frame) {
    this.#turn = this.#turn.then(() => this.#takeNext(frame)).catch(() => {});
  }

  async #takeNext(frame: Frame) {
    this.#heardAt = Date.now();
    const waiting = typeof frame.id === "number" ? this.#waiting.get(frame.id) : undefined;
    // A view, too, that was asked for: newer ones may come with it, before whoever waits for it goes on.
    if (frame.type === "session" && this.state === "open") this.views.set(readHash(frame.session), frame);
    if (waiting) {
      waiting(frame);
      return;
    }
    if (frame.type === "refused" && frame.id === null) this.refused = new EngineRefused(frame).message; // and it ends the connection
    if (frame.type === "stream") await this.#begin(frame).catch((error: unknown) => this.#leaveBecause(error));
    if (!this.stream || this.state !== "open") return;
    if (frame.type === "line") this.#line(frame);
    else if (frame.type === "question") this.#question(frame);
    else if (frame.type === "quote") await this.#quote(frame);
    else if (frame.type === "book") await this.#book(frame);
    else if (frame.type === "result") await this.takeResult(frame);
  }

  /** Why it is not connected, shown until it is; or which address was left out. */
  refused = $state<string>();
  #leftOut: string | undefined;

  /** A chain that could not be asked says nothing about the engine: it is tried again. */
  #leaveBecause(error: unknown) {
    const isRefused = error instanceof Refusal;
    this.refused = isRefused ? error.message : "The chain could not be asked about this engine's stream: trying again.";
    if (!isRefused) return this.renew();
    const url = this.url!.href;
    if (this.leaveOut()) this.refused = this.#leftOut = `${url} is left out: ${error.message}`;
  }

  async #begin(frame: Frame) {
    const place = placeOfSessions();
    if (!place || !isRecord(frame.terms)) throw new Refusal("There are no micro-bets on this chain.");
    const id = readInt(frame.stream_id);
    const [operator, , , panelId] = await chain.client.readContract({
      ...chain.at("MicroSessions"),
      functionName: "stream",
      args: [id],
    });
    const { members, threshold } = await panelOf(panelId);
    const isSame =
      readInt(frame.chain_id) === BigInt(place.chainId) &&
      isOf(frame.contract, place.sessions) &&
      isOf(frame.panels, place.panels) &&
      isOf(frame.operator, operator) &&
      readInt(frame.panel) === panelId;
    if (!isSame) throw new Refusal("This engine is not of the stream on this chain that it names.");
    const told = frame.terms;
    const names = [
      "activation",
      "least_deposit",
      "greatest_deposit",
      "least_stake",
      "greatest_stake",
      "picture_delay_ms",
    ] as const;
    const terms = Object.fromEntries(names.map((name) => [name, readInt(told[name])])) as Stream["terms"];
    const isOther = this.stream !== undefined && (this.stream.id !== id || this.#place?.sessions !== place.sessions);
    if (isOther && !this.#isChosen) throw new Refusal("This engine is of another stream than the one before it.");
    if (isOther) this.#forget();
    this.#place = place;
    const houseKey = addressOf(frame.house_key);
    this.stream = { id, operator, houseKey, panelId, members, threshold, terms };
    this.ahead = Number(readInt(frame.now)) - Date.now();
    this.refused = this.#leftOut;
    this.#isChosen = false;
    this.opened();
    this.#compare(readInt(frame.n), readHash(frame.head));
  }

  #forget() {
    this.questions.clear();
    this.views.clear();
    for (const map of [this.confirmed, this.reports, this.books, this.heads, this.#quoted]) map.clear();
    [this.broken, this.#signed] = [undefined, undefined];
  }

  /** Where the record stands after the connection was lost: it has grown, or is what it was. What it lacks is shown to it. */
  #compare(n: bigint, head: Hex) {
    const last = this.#last ?? 0n;
    if (n < last || (this.heads.get(n) ?? head) !== head)
      this.broken = `the record ends at line ${n}, and had ${last} lines before`;
    if (n < last && this.#signed) void this.ask("lost", this.#signed).catch(() => {});
    const goesOn = this.#after !== undefined || this.#isGreeted;
    this.#isGreeted = true;
    if (goesOn || this.heads.has(n)) return; // the lines up to it come next, or are known
    this.heads.delete(n - 1n); // heads of two lines in a row say that the second was told: this one was not
    this.heads.set(n, head);
  }

  #line(frame: Frame) {
    const [line, head] = [readLine(frame), readHash(frame.head)];
    const before = this.heads.get(line.n - 1n);
    if (before === undefined || this.heads.has(line.n) || nextHead(before, line) !== head) {
      this.broken = `line ${line.n} of the record does not follow from those before it`;
    }
    this.heads.set(line.n, head);
    if (line.kind === QUOTE_LINE) this.#quoted.set(line.n, line.leaf);
    for (const n of this.heads.keys()) {
      if (this.heads.size <= MOST_HEADS) break;
      this.heads.delete(n);
      this.#quoted.delete(n);
    }
  }

  #question(frame: Frame) {
    const question = read<Question>("Question", frame.question);
    checkQuestion(question);
    const digest = digestOf(this.#place!, "Question", question);
    if (question.stream_id !== this.stream!.id || digest !== frame.hash) return;
    if (!this.questions.has(digest)) this.questions.set(digest, { digest, question });
    const now = Date.now();
    for (const [old, { question }] of this.questions) {
      if (now - Number(question.end) > KEPT_MS && !this.keeps(old)) this.questions.delete(old);
    }
  }

  /** Whether a question is still wanted; its player says so. */
  keeps: (digest: Hex) => boolean = () => false;

  async #quote(frame: Frame) {
    const quote = read<Quote>("Quote", frame.quote);
    const known = this.questions.get(quote.question);
    if (!known || quote.odds.length !== known.question.choices.length) return;
    // Without what it costs there is no quote; the one before ends by itself.
    const shown = shownWith(quote, frame);
    const digest = digestOf(this.#place!, "Quote", quote);
    const signature = readSignature(frame.signature);
    if ((await signerOf(digest, signature)) !== this.stream!.houseKey || !this.#isInRecord(digest, quote.number)) return;
    this.#signed = { quote, signature };
    const signed = { digest, quote, shown, signature };
    this.questions.set(quote.question, { ...this.questions.get(quote.question)!, quote: signed });
  }

  /** Whether a quote is its line of the record, or of one before those that were told: odds are the same for everybody. */
  #isInRecord(quote: Hex, number: bigint): boolean {
    const isKnown = this.heads.has(number - 1n) && this.heads.has(number);
    if (isKnown && this.#quoted.get(number) !== quote) {
      this.broken = `the house signed another quote for line ${number} than its record has`;
      return false;
    }
    return number <= (this.#last ?? number);
  }

  async #book(frame: Frame) {
    const book = read<Book>("Book", frame.book);
    const place = this.#place!;
    const signer = await signerOf(digestOf(place, "Book", book), readSignature(frame.signature));
    if (signer !== this.stream!.houseKey || book.stream_id !== this.stream!.id) return;
    const head = this.heads.get(book.n);
    if (head !== undefined && head !== book.head) {
      this.broken = `the house signed another head for line ${book.n} than its record has`;
    }
    this.books.set(book.question, book);
    const known = this.questions.get(book.question);
    const leaves = readHashes(frame.leaves);
    if (!known || this.confirmed.has(book.question) || bookRoot(leaves) !== book.root) return;
    const key = bookKey(book.question, book.root);
    const signatures = readSignatures(frame.signatures);
    if (await this.#isEnough(reportOf(place, this.stream!.panelId, asked(place, key, known.question), BOOKED), signatures)) {
      this.confirmed.set(book.question, leaves);
      this.reports.set(key, { outcome: BOOKED, signatures });
    }
  }

  /** Takes a question's result where enough observers signed it. */
  async takeResult(frame: Frame) {
    const digest = readHash(frame.question);
    const known = this.questions.get(digest);
    if (!known || frame.outcome === null) return; // what nobody reported is the chain's to say
    const [outcome, signatures, place] = [readInt(frame.outcome), readSignatures(frame.signatures), this.#place!];
    if (await this.#isEnough(reportOf(place, this.stream!.panelId, asked(place, digest, known.question), outcome), signatures)) {
      this.reports.set(digest, { outcome, signatures });
      this.questions.set(digest, { ...this.questions.get(digest)!, outcome });
    }
  }

  async #isEnough(digest: Hex, signatures: readonly Signature[]): Promise<boolean> {
    const { members, threshold } = this.stream!;
    const signers = new Set(await Promise.all(signatures.map((signature) => signerOf(digest, signature))));
    return members.filter((member) => signers.has(getAddress(member))).length >= Number(threshold);
  }
}

const isOf = (told: unknown, address: Address) =>
  typeof told === "string" && isAddress(told) && getAddress(told) === getAddress(address);

export const engine = new Engine();
