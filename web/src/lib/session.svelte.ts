// The person's session on a live stream: a payment channel with the stream's house (docs/micro.md). Its key signs nothing that the
// person could lose by, and all that an exit alone needs is kept in this browser before it is sent or relied on.
import { type OfferTerms } from "@tessera/abi";
import { type Address, type Hex, serializeCompactSignature, signatureToCompactSignature } from "viem";
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount, sign } from "viem/accounts";
import { chain } from "./chain.svelte";
import type { Frame } from "./conversation.svelte";
import { type Asked, engine, EngineRefused, MOST_APART_MS, placeOfSessions, type Reported } from "./engine.svelte";
import { isDeclined, isRevert, Refusal } from "./errors";
import { limits } from "./limits.svelte";
import { isRecord } from "./listings";
import { pause } from "./pause";
import { type Call, call, send, type Stage } from "./send";
import {
  activationOf,
  asked,
  bookKey,
  bookProof,
  bookRoot,
  type Close,
  digestOf,
  EMPTY,
  fold,
  followText,
  liabilityOf,
  NO_PROOF,
  NO_RECEIPT,
  NO_SIGNATURE,
  offerText,
  offerWords,
  type OpenBet,
  type Outcome,
  type Place,
  type Proof,
  read,
  readHash,
  readHashes,
  readInt,
  readOffer,
  readReceipt,
  readSignature,
  type Receipt,
  type Refused,
  type Signature,
  signerOf,
  type State,
  successor,
  written,
} from "./sessions";
import { wallet } from "./wallet.svelte";

const RECEIPT_MS = 2_000; // after a question's lock, a receipt is taken no more
const SILENT_MS = 2_000; // after which a state is sent to the next address
const RETRY_MS = 100;
const [TRIES, TRY_MS] = [30, 500]; // while nobody has the stream
const LATER = ["stopped", "asking", "too_many_requests"]; // refusals that say nothing of what was asked
const BOOK_MS = 5_000; // after the lock, a book is taken no more
const LAND_MS = 600_000; // before results are due, for them to be landed
const CLOSE_SECONDS = 3_600;
const CONFIRM_MS = 600_000;
const [MOST_POINTS, MOST_RECEIPTS] = [400, 2_000];
const ELSEWHERE = "This session is in use in another tab: one alone may sign. Nothing was sent.";
const NO_POST = { valid_until: 0n, signature: NO_SIGNATURE };

/** What a session is on chain: none, open, in its exit, closed. */
export const STAGES = ["none", "open", "exiting", "closed"] as const;
export type OnChain = {
  readonly stage: (typeof STAGES)[number];
  readonly topUps: bigint;
  readonly end: number;
  readonly byPlayer: boolean;
  readonly proven: boolean;
  readonly seq: bigint;
};

/** Balance and velocity at a time, for the graph: unix seconds, units, units a minute. */
export type Point = { readonly at: number; readonly balance: bigint; readonly velocity: bigint };

/** What is kept of one session. */
type Kept = {
  readonly offer: OfferTerms;
  readonly operatorSignature: Signature;
  readonly key: Hex;
  readonly state: State;
  readonly signature: Signature;
  readonly receipt: Receipt;
  readonly proof: Proof;
  readonly usedSeq: bigint;
  /** Whether a state was sent that has no answer yet. */
  readonly waits: boolean;
  /** States that were signed after the newest completed one: the house may post one of them. */
  readonly unanswered: readonly State[];
  /** Reports of open bets, and of the book that stands for the newest state's receipt, by what `Panels` asks. */
  readonly results: Record<Hex, Reported>;
  readonly frozen?: string;
};

function kept(told: unknown): Kept | undefined {
  if (!isRecord(told) || !isRecord(told.results) || !isRecord(told.proof)) return undefined;
  const results = Object.entries(told.results).flatMap(([question, one]) => {
    if (!isRecord(one) || !Array.isArray(one.signatures)) return [];
    return [[question, { outcome: readInt(one.outcome), signatures: one.signatures.map(readSignature) }] as const];
  });
  return {
    offer: readOffer(told.offer),
    operatorSignature: readSignature(told.operatorSignature),
    key: readHash(told.key),
    state: read<State>("State", told.state),
    signature: readSignature(told.signature),
    receipt: readReceipt(told.receipt),
    proof: { root: readHash(told.proof.root), proof: readHashes(told.proof.proof) },
    usedSeq: readInt(told.usedSeq),
    waits: told.waits === true,
    unanswered: (Array.isArray(told.unanswered) ? told.unanswered : []).map((state) => read<State>("State", state)),
    results: Object.fromEntries(results),
    ...(typeof told.frozen === "string" && { frozen: told.frozen }),
  };
}

class Session {
  /** The session of the connected account; undefined where it has none here. */
  now = $state.raw<Kept>();
  id = $state.raw<Hex>();
  points = $state.raw<readonly Point[]>([]);
  /** Whether another tab has it: one of them alone may sign. */
  isElsewhere = $state(false);
  #account: Address | undefined;
  #busy = false;
  /** Whether this tab may sign, and write what is kept. */
  #isMine = false;
  #release: (() => void) | undefined;

  constructor() {
    engine.keeps = (digest) => this.now?.state.open_bets.some(({ question }) => question === digest) ?? false;
    globalThis.addEventListener?.("storage", ({ key }) => {
      const account = this.#account;
      if (!account || key !== this.#name(account) || this.#isMine) return;
      this.#read(account);
      if (this.now && !this.#release) void this.#claim(account);
    });
  }

  #place(): Place {
    const place = placeOfSessions();
    if (!place) throw new Refusal("There are no micro-bets on this chain.");
    return place;
  }

  #name(account: Address): string {
    const { chainId, sessions } = this.#place();
    return `tessera.session.${chainId}.${sessions}.${account}`;
  }

  /** Takes up what this browser keeps of an account's session. */
  recall(account: Address | undefined) {
    if (account === this.#account) return;
    [this.#account, this.now, this.id, this.points] = [account, undefined, undefined, []];
    this.#leave();
    if (!account) return;
    this.#read(account);
    if (this.now) void this.#claim(account);
  }

  #stored(account: Address): Kept | undefined {
    return kept(JSON.parse(localStorage.getItem(this.#name(account)) ?? "null"));
  }

  /** Takes what is kept, which another tab may have written. */
  #read(account: Address) {
    this.now = this.#stored(account);
    this.id = this.now && digestOf(this.#place(), "Offer", this.now.offer);
    for (const [key, report] of Object.entries(this.now?.results ?? {})) engine.reports.set(key as Hex, report);
  }

  #leave() {
    this.#release?.();
    [this.#release, this.#isMine, this.isElsewhere] = [undefined, false, false];
  }

  /** One tab alone signs for a session and writes what is kept; where it ends, the next one goes on from there. Over plain HTTP
   * browsers know no locks: there a tab notices that another one has gone on when it is to sign. */
  async #claim(account: Address) {
    this.#leave();
    const ending = new AbortController();
    this.#release = () => ending.abort();
    const { locks } = navigator;
    if (!locks) return this.#begun(account);
    const hold = (lock: Lock | null) => {
      if (ending.signal.aborted) return undefined;
      this.isElsewhere = !lock;
      if (!lock) return undefined;
      this.#begun(account);
      return new Promise<void>((resolve) => ending.signal.addEventListener("abort", () => resolve()));
    };
    await new Promise<void>((answered) => {
      const first = (lock: Lock | null) => {
        const held = hold(lock);
        answered();
        return held;
      };
      void locks
        .request(this.#name(account), { ifAvailable: true }, first)
        .then(async () => {
          if (this.isElsewhere) await locks.request(this.#name(account), { signal: ending.signal }, hold);
        })
        .catch(() => {}); // it is left
    });
  }

  #begun(account: Address) {
    this.#isMine = true;
    this.#read(account);
    if (this.now?.waits && this.now.frozen === undefined) this.#freeze("a state that was sent has no answer");
  }

  /** Whether this tab has the session, and no other one has gone on with it. */
  #isStillMine(): boolean {
    const { now } = this;
    const stored = this.#stored(this.#account!);
    if (this.#isMine && now && stored?.key === now.key && stored.usedSeq <= now.usedSeq) return true;
    this.#read(this.#account!);
    [this.#isMine, this.isElsewhere] = [false, this.now !== undefined];
    return false;
  }

  #keep(change: Partial<Kept>) {
    if (!this.#isStillMine()) throw new Refusal(ELSEWHERE);
    const next = { ...this.now!, ...change };
    localStorage.setItem(this.#name(this.#account!), JSON.stringify(written(next)));
    this.now = next;
  }

  /** The session as its engine last said. */
  get view(): Frame | undefined {
    return this.id && engine.views.get(this.id);
  }

  get stream(): bigint {
    return BigInt(this.now!.offer.stream_id);
  }

  get #signer(): PrivateKeyAccount {
    return privateKeyToAccount(this.now!.key);
  }

  /** What is known of the results of open bets. */
  get outcomes(): Map<Hex, Outcome> {
    const known = (this.now?.state.open_bets ?? []).flatMap(({ question }) => {
      const report = engine.reports.get(question);
      return report ? [[question, report.outcome] as const] : [];
    });
    return new Map(known);
  }

  /** Opens and activates a session. Raises Refusal where the offer is not what was asked for, and what the contract refuses. */
  async open(deposit: bigint, lossCap: bigint, tell: (stage: Stage) => void) {
    const [{ account, client }, stream, place] = [wallet, engine.stream, this.#place()];
    if (!account || !client || !stream) throw new Refusal("Connect a wallet and an engine first. Nothing was sent.");
    await limits.check(account, deposit + stream.terms.activation);
    const key = generatePrivateKey();
    const sessionKey = privateKeyToAccount(key).address;
    tell("sign that you want an offer: it moves no money");
    const at = Date.now() + engine.ahead;
    const message = offerText(place, stream.id, sessionKey, deposit, lossCap, at);
    const signature = await client.signMessage({ account: client.account!, message });
    tell("asking the engine for an offer");
    const wish = { player: account, session_key: sessionKey, deposit, loss_cap: lossCap, at: BigInt(at), signature };
    const answer = await askSurely("offer", wish);
    const [offer, operatorSignature] = [readOffer(answer.offer), readSignature(answer.signature)];
    const id = digestOf(place, "Offer", offer);
    const wanted: OfferTerms = {
      ...offer,
      player: account,
      session_key: sessionKey,
      house_key: stream.houseKey,
      stream_id: stream.id,
      deposit,
      activation: stream.terms.activation,
    };
    const text = (terms: OfferTerms) => JSON.stringify(written(offerWords(terms)));
    const isSame = text(wanted) === text(offer);
    if (!isSame || BigInt(offer.loss_cap) > lossCap || (await signerOf(id, operatorSignature)) !== stream.operator) {
      throw new Refusal("The engine's offer is not what you asked for, or not its operator's. Nothing was sent.");
    }
    const nothing = { state: EMPTY, signature: NO_SIGNATURE, receipt: NO_RECEIPT, proof: NO_PROOF, usedSeq: 0n };
    const offered: Kept = { offer, operatorSignature, key, ...nothing, waits: false, unanswered: [], results: {} };
    if (this.#stored(account)) throw new Refusal("You have a session in another tab: use it there. Nothing was sent.");
    localStorage.setItem(this.#name(account), JSON.stringify(written(offered)));
    try {
      await this.#sendOpening(offered, tell);
    } catch (error) {
      // Where it is not known that nothing was sent, all that an end needs stays.
      if (isRevert(error) || isDeclined(error)) {
        localStorage.removeItem(this.#name(account));
        throw error;
      }
      [this.#account, this.id, this.points, this.now] = [account, id, [], offered];
      await this.#claim(account);
      throw error;
    }
    [this.#account, this.id, this.points, this.now] = [account, id, [], offered];
    await this.#claim(account);
    await this.begin(tell);
  }

  /** Opens the session that was offered before, and activates it. */
  async reopen(tell: (stage: Stage) => void) {
    await this.#sendOpening(this.now!, tell);
    await this.begin(tell);
  }

  async #sendOpening({ offer, operatorSignature }: Kept, tell: (stage: Stage) => void) {
    await send(call(chain.at("MicroSessions"), "open_session", [offerWords(offer), operatorSignature]), tell);
  }

  /** Activates a session that is open on chain, once the engine knows of it. */
  async begin(tell: (stage: Stage) => void) {
    tell("waiting for the engine to see it");
    await this.follow();
    for (const until = Date.now() + CONFIRM_MS; this.view?.is_confirmed !== true;) {
      if (Date.now() > until) throw new Refusal("The engine does not see your session. Nothing is lost: end it alone, below.");
      await pause(200);
    }
    const activation = () => ({ ...activationOf(this.now!.state), seq: this.#nextSeq });
    await this.#alone(() => this.#send(activation(), Date.now() + RECEIPT_MS));
  }

  /** Asks to be told of the session. */
  async follow() {
    const at = Date.now() + engine.ahead;
    const message = followText(this.#place(), this.id!, at);
    const signature = await this.#signer.signMessage({ message });
    await askSurely("follow", { session: this.id, at: BigInt(at), signature });
  }

  /** Notes where balance and velocity are, for the graph. */
  note(view: Frame) {
    const point = { at: Date.now() / 1_000, balance: readInt(view.balance), velocity: readInt(view.velocity_per_minute) };
    const last = this.points.at(-1);
    if (last && last.balance === point.balance && last.velocity === point.velocity) return;
    this.points = [...this.points, point].slice(-MOST_POINTS);
  }

  /** Keeps results of open bets as they come: an exit alone may need them when nobody else is there. */
  noteResults() {
    if (!this.#isMine || !this.now) return;
    const { state, results } = this.now;
    const known = [...state.open_bets.map(({ question }) => question), ...this.#bookKeys(state)].flatMap((key) => {
      const report = engine.reports.get(key);
      return report ? [[key, report] as const] : [];
    });
    if (known.some(([key]) => !(key in results)) && this.#isStillMine()) this.#keep({ results: Object.fromEntries(known) });
  }

  /** Of the book that stands for the newest state's receipt, as `Panels` asks for it. */
  #bookKeys({ open_bets }: State): Hex[] {
    const newest = open_bets.at(-1);
    const { root } = this.now!.proof;
    return newest && root !== NO_PROOF.root ? [bookKey(newest.question, root)] : [];
  }

  /** Why no bet can be signed; undefined where it can. */
  get stopped(): string | undefined {
    if (!this.now) return "You have no session on this stream.";
    if (this.isElsewhere) return ELSEWHERE;
    if (engine.broken)
      return `The house broke its record: ${engine.broken}. End the session alone, below, and keep your receipts.`;
    if (this.now.frozen !== undefined) return `No bets any more: ${this.now.frozen}.`;
    if (Math.abs(engine.ahead) > MOST_APART_MS) {
      return `Your clock and the engine's differ by ${Math.round(Math.abs(engine.ahead) / 1_000)} s. Set yours right: late answers could cost you.`;
    }
    if (!this.now.state.activated) return "The session has not begun.";
    return undefined;
  }

  /** Bets on a choice of a question at the quote that was shown. Raises Refusal: nothing was bet, or the session is frozen. */
  async bet({ digest: question, question: { lock, report_by } }: Asked, shown: Asked["quote"], choice: number, stake: bigint) {
    await this.#alone(async () => {
      if (this.stopped) throw new Refusal(this.stopped);
      if (!shown) throw new Refusal("There is no quote of this question. Nothing was signed.");
      const odds = shown.quote.odds[choice]!;
      const liability = liabilityOf(stake, odds);
      if (liability > shown.quote.greatest_liability)
        throw new Refusal("This could win more than one bet may. Nothing was signed.");
      this.#keepSigned({ type: "quote", ...shown.quote, signature: shown.signature });
      const bet: OpenBet = { question, quote: shown.digest, lock, report_by, choice: BigInt(choice), stake, liability };
      for (const isLast of [false, true]) {
        const { state, offer } = this.now!;
        try {
          await this.#send(successor(offer, state, bet, this.outcomes, this.#nextSeq, await this.#topUps()), Number(lock));
          return;
        } catch (error) {
          if (isLast || !(error instanceof EngineRefused) || error.code !== "results_missing") throw error;
          const results = Array.isArray(error.answer.results) ? error.answer.results.filter(isRecord) : [];
          for (const result of results) await engine.takeResult(result);
        }
      }
    });
  }

  /** Each seq is signed once, also where its state was refused. */
  get #nextSeq(): bigint {
    const { state, usedSeq } = this.now!;
    return (usedSeq > state.seq ? usedSeq : state.seq) + 1n;
  }

  async #topUps(): Promise<bigint> {
    return (await this.onChain()).topUps;
  }

  /** No new state is signed while one is unanswered. */
  async #alone(work: () => Promise<void>) {
    if (this.#busy) throw new Refusal("One bet at a time: the last one waits for its answer.");
    if (!this.#isStillMine()) throw new Refusal(ELSEWHERE);
    this.#busy = true;
    try {
      await work();
    } finally {
      this.#busy = false;
    }
  }

  async #sign(digest: Hex): Promise<Signature> {
    return readSignature(
      serializeCompactSignature(signatureToCompactSignature(await sign({ hash: digest, privateKey: this.now!.key }))),
    );
  }

  /** Signs a state, sends it, and takes its receipt. Raises EngineRefused, and Refusal where the session is frozen. */
  async #send(state: State, lock: number) {
    const digest = digestOf(this.#place(), "State", state, this.id);
    const signature = await this.#sign(digest);
    this.#keep({ usedSeq: state.seq, waits: true, unanswered: [...this.now!.unanswered, state] });
    let answer: Frame | undefined;
    try {
      answer = await this.#answered(state, signature, lock + RECEIPT_MS);
    } catch (error) {
      await this.#refused(error as EngineRefused, digest);
      throw error;
    }
    if (answer && Date.now() <= lock + RECEIPT_MS) {
      const receipt = await this.#checked(answer, digest);
      this.#keep({ state, signature, receipt, proof: NO_PROOF, waits: false, unanswered: [] });
      const { n, epoch, head, signature: byHouse } = receipt;
      this.#keepSigned({ type: "receipt", state: digest, n: Number(n), epoch: Number(epoch), head, signature: byHouse });
      return;
    }
    const question = state.open_bets.at(-1)?.question;
    while (question && Date.now() <= lock + BOOK_MS) {
      const leaves = engine.confirmed.get(question);
      if (leaves?.includes(digest)) {
        const proof = { root: bookRoot(leaves)!, proof: bookProof(leaves, digest) };
        const key = bookKey(question, proof.root);
        const results = { ...this.now!.results, [key]: engine.reports.get(key)! };
        this.#keep({ state, signature, receipt: NO_RECEIPT, proof, waits: false, unanswered: [], results });
        return;
      }
      await pause(100);
    }
    this.#freeze("the engine did not answer in time");
    throw new Refusal("The engine did not answer in time: nothing more is signed. End the session alone, below.");
  }

  /** What an engine answers a state: the same state is sent again, to whichever engine there is, until a time; undefined: nothing
   * by then. Raises EngineRefused where the house says that it refuses. */
  async #answered(state: State, signature: Signature, until: number): Promise<Frame | undefined> {
    for (let left: number; (left = until - Date.now()) >= 0; await pause(RETRY_MS)) {
      try {
        return await engine.ask("place", { session: this.id, state, signature }, Math.min(left + RETRY_MS, SILENT_MS));
      } catch (error) {
        if (isFinal(error)) throw error;
        if (!(error instanceof EngineRefused) && engine.state === "open") engine.renew(); // nothing comes from it
      }
    }
    return undefined;
  }

  /** Notes a refusal that the house signed; without its signature the state may still be completed. */
  async #refused({ answer }: EngineRefused, digest: Hex) {
    const refusal = isRecord(answer.refusal) ? read<Refused>("Refusal", answer.refusal) : undefined;
    const signer = refusal && (await signerOf(digestOf(this.#place(), "Refusal", refusal), readSignature(answer.signature)));
    const isOfStream = refusal?.stream_id === BigInt(this.now!.offer.stream_id);
    if (refusal?.state !== digest || !isOfStream || !this.#isHouse(signer)) {
      this.#freeze("the engine refused without the house's signature");
      return;
    }
    this.#keep({ waits: false });
    const { state, code, refused_at } = refusal;
    this.#keepSigned({ type: "refusal", state, code, refused_at, signature: readSignature(answer.signature) });
    const completed = isRecord(answer.completed) && isRecord(answer.completed.state) ? answer.completed.state : undefined;
    if (completed && readInt(completed.seq) > this.now!.state.seq) {
      this.#freeze("the engine completed a state later than it may");
    }
  }

  /** The receipt of an answer. Raises Refusal where it is forged, or not what the record says. */
  async #checked(answer: Frame, digest: Hex): Promise<Receipt> {
    const { offer } = this.now!;
    try {
      const receipt = readReceipt(answer.receipt);
      const { n, epoch, head } = receipt;
      const message = { state: digest, stream_id: BigInt(offer.stream_id), n, epoch, head };
      const signer = await signerOf(digestOf(this.#place(), "Receipt", message), receipt.signature);
      if (engine.heads.get(n) === head && this.#isHouse(signer)) return receipt;
    } catch {
      // none, then
    }
    this.#freeze("a receipt that is forged, or not of the record");
    throw new Refusal("The engine's receipt is forged, or not of its record. End the session alone, below.");
  }

  #isHouse(signer: Address | undefined): boolean {
    return signer?.toLowerCase() === String(this.now!.offer.house_key).toLowerCase();
  }

  #freeze(why: string) {
    this.#keep({ frozen: why });
  }

  /** Signs what the session comes to, and freezes it; the operator lands it. Raises Refusal where a bet is open. */
  async close() {
    await this.#alone(async () => {
      if (this.now!.frozen !== undefined) throw new Refusal(this.now!.frozen);
      const { net, waiting } = fold(this.now!.state, this.outcomes);
      if (waiting.length > 0) throw new Refusal("A bet is open: close once its result is there. Nothing was signed.");
      const agreement: Close = {
        net,
        activated: this.now!.state.activated,
        valid_until: BigInt(Math.floor((Date.now() + engine.ahead) / 1_000) + CLOSE_SECONDS),
      };
      const signature = await this.#sign(digestOf(this.#place(), "Close", agreement, this.id));
      this.#freeze("an agreement to close is signed");
      await askSurely("close", { session: this.id, agreement, signature });
    });
  }

  /** What the chain has of the session. */
  async onChain(): Promise<OnChain> {
    const [stage, topUps, , end, byPlayer, proven, seq] = await chain.client.readContract({
      ...chain.at("MicroSessions"),
      functionName: "session",
      args: [this.id!],
    });
    return { stage: STAGES[Number(stage)]!, topUps, end: Number(end), byPlayer, proven, seq };
  }

  #words(state = this.now!.state) {
    return [offerWords(this.now!.offer), { ...state, open_bets: state.open_bets.map((bet) => ({ ...bet })) }] as const;
  }

  /** What can be topped up, of a session into which so much was put: what goes beyond its loss cap could never be bet. */
  room(putIn: bigint): bigint {
    const room = BigInt(this.now!.offer.loss_cap) - putIn;
    return room > 0n ? room : 0n;
  }

  /** Adds money to the betting balance, on chain. Raises Refusal where there is no room for it. */
  async topUp(amount: bigint): Promise<Call> {
    const { offer, frozen } = this.now!;
    if (frozen !== undefined) throw new Refusal(`No bets any more: ${frozen}. Nothing was sent.`);
    if (amount > this.room(BigInt(offer.deposit) + (await this.#topUps()))) {
      throw new Refusal("This is more than the session may lose: it could never be bet. Nothing was sent.");
    }
    await limits.check(this.#account!, amount);
    return call(chain.at("MicroSessions"), "top_up", [offerWords(offer), amount]);
  }

  /** Begins to end the session alone, on chain, by the newest completed state: what it takes, one after another. Raises Refusal where
   * another tab has the session. */
  async exit(): Promise<Call[]> {
    if (!this.#isStillMine()) throw new Refusal(ELSEWHERE);
    if (this.now!.frozen === undefined) this.#freeze("you end the session alone");
    const { signature, receipt, proof } = this.now!;
    const begin = call(chain.at("MicroSessions"), "start_exit", [...this.#words(), signature, receipt, proof, NO_POST]);
    return [...(await this.#bookLanding()), begin];
  }

  /**
   * What the protocol asks of a player on chain now, in words and as a call; undefined: nothing, or to wait. It answers an exit
   * by an older state, lands results and books that are needed, and ends the exit. To be looked at once in a day.
   */
  async due(known: OnChain): Promise<{ readonly text: string; readonly calls: readonly Call[] } | undefined> {
    if (known.stage === "none" || known.stage === "closed") return undefined;
    const { state: newest, signature, receipt, proof } = this.now!;
    const sessions = chain.at("MicroSessions");
    const isExiting = known.stage === "exiting";
    if (isExiting && this.now!.frozen === undefined && this.#isMine) this.#freeze("an exit has begun");
    const isBehind = known.seq < newest.seq || (known.seq === newest.seq && !known.byPlayer);
    if (isExiting && isBehind && chain.time < known.end) {
      const answer = call(sessions, "challenge", [...this.#words(), signature, receipt, proof, NO_POST]);
      return { text: "Answer the exit by your newest state", calls: [...(await this.#bookLanding()), answer] };
    }
    const state = this.#posted(known);
    for (const bet of state.open_bets) {
      if (!isExiting && Date.now() < Number(bet.report_by) - LAND_MS) continue;
      const landing = await this.#landing(bet);
      if (landing) return { text: "Bring the result of a bet to the chain", calls: [landing] };
    }
    if (isExiting && known.seq === state.seq && chain.time >= (await this.readyAt(known))) {
      return { text: "End the exit and be paid", calls: [call(sessions, "finalize", [...this.#words(state)])] };
    }
    return undefined;
  }

  /** What an exit goes by: the newest completed state, or a later one, whose receipt came too late or never. */
  #posted({ seq }: OnChain): State {
    return this.now!.unanswered.find((state) => state.seq === seq) ?? this.now!.state;
  }

  /** When an exit by the newest state is over, unix seconds. A bet that goes back alone is waited for here all the same. */
  async readyAt(known: OnChain): Promise<number> {
    const { open_bets } = this.#posted(known);
    const ready = Math.max(known.end, ...open_bets.map(({ report_by }) => Math.floor(Number(report_by) / 1_000) + 1));
    return ready + (open_bets.length > 0 && !known.byPlayer && !known.proven ? 86_400 : 0);
  }

  async #landing(bet: OpenBet): Promise<Call | undefined> {
    const book = engine.books.get(bet.question);
    return this.#landingOf(bet, [bet.question, ...(book ? [bookKey(bet.question, book.root)] : [])]);
  }

  /** The book that stands for the newest state's receipt: the chain must have it before that state. */
  async #bookLanding(): Promise<Call[]> {
    const { state } = this.now!;
    const landing = await this.#landingOf(state.open_bets.at(-1), this.#bookKeys(state));
    return landing ? [landing] : [];
  }

  async #landingOf(bet: OpenBet | undefined, keys: readonly Hex[]): Promise<Call | undefined> {
    if (!bet || keys.length === 0) return undefined;
    const [place, panels] = [this.#place(), chain.at("Panels")];
    const panelId = await chain.client.readContract({
      ...chain.at("MicroSessions"),
      functionName: "panel_of",
      args: [this.stream],
    });
    for (const key of keys) {
      const [question, report] = [asked(place, key, bet), engine.reports.get(key)];
      if (!report || chain.time < question.not_before || chain.time > question.deadline) continue;
      const number = await chain.client.readContract({ ...panels, functionName: "hash_question", args: [question] });
      const [isFinal] = await chain.client.readContract({ ...panels, functionName: "result", args: [panelId, number] });
      if (isFinal) continue;
      const signed = { question, outcome: report.outcome, signatures: BigInt(report.signatures.length) };
      return call(panels, "submit_reports", [panelId, [signed], report.signatures]);
    }
    return undefined;
  }

  /** Forgets a session that is over, so that another can begin. Its receipts stay for as long as they can convict. */
  forget() {
    localStorage.removeItem(this.#name(this.#account!));
    this.#leave();
    [this.now, this.id, this.points] = [undefined, undefined, []];
  }

  /** Keeps what the house signed, as scripts/audit_stream.py reads it. */
  #keepSigned(item: object) {
    const name = `tessera.receipts.${this.#name(this.#account!)}`;
    const known = JSON.parse(localStorage.getItem(name) ?? "[]") as unknown[];
    localStorage.setItem(name, JSON.stringify([...known, written(item)].slice(-MOST_RECEIPTS)));
  }

  /** The account's newest receipts and refusals, for scripts/audit_stream.py: one of them convicts a house that lies. */
  receipts(): string {
    const known = JSON.parse(localStorage.getItem(`tessera.receipts.${this.#name(this.#account!)}`) ?? "[]") as unknown[];
    return known.map((one) => `${JSON.stringify(one)}\n`).join("");
  }
}

/** Whether the engine has refused what was asked, and not only for now. */
const isFinal = (error: unknown) => error instanceof EngineRefused && !LATER.includes(error.code);

/** The answer to what may be said twice: said again while there is no engine. Raises EngineRefused, Refusal. */
async function askSurely(name: string, body: object): Promise<Frame> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await engine.ask(name, body);
    } catch (error) {
      if (isFinal(error) || !(error instanceof Refusal) || engine.state === "off" || tries > TRIES) throw error;
    }
    await pause(TRY_MS);
  }
}

export const session = new Session();
