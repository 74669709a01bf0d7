// The node of a club of friends, where there is one behind the page: invitations, gas, names, what waits for a person, turns.
import { type Address, getAddress } from "viem";
import { signInText } from "./asked";
import { chain } from "./chain.svelte";
import { Refusal } from "./errors";
import { patiently } from "./patience";
import { pause } from "./pause";
import type { Turn } from "./turn";
import { wallet } from "./wallet.svelte";

/** A refusal of the node, with its code. */
export class ClubRefusal extends Refusal {
  constructor(
    readonly code: string,
    words: string,
    override readonly isAway: boolean,
  ) {
    super(words);
  }
}

export type Facts = { readonly name: string; readonly play_euro: Address; readonly members: number };
/** How far an account is on its way in, and in a sentence: also why it does not go on. */
export type Membership = { readonly state: "coming" | "ready" | "joined"; readonly detail: string };
type Gas = { readonly state: string; readonly detail: string };
export type Item = {
  readonly kind: "accept" | "propose" | "dispute" | "vote" | "rule" | "finalize" | "claim";
  readonly market_id: number;
  readonly question: string;
  readonly deadline: number | null;
};
type Named = { readonly account: Address; readonly name: string; readonly replaced: boolean };

const NAME_TYPE = {
  Name: [
    { name: "account", type: "address" },
    { name: "name", type: "string" },
    { name: "issuedAt", type: "uint64" },
  ],
} as const;

/** A node that has not answered by then is away. */
const ANSWER_MS = 10_000;
/** What a node answers that cannot do its work for the moment, or a proxy in front of a node that is away. */
const AWAY = [502, 503, 504];
/** Why there is no turn to wait for: a stranger asks, or the market takes no bets. */
const NO_TURNS = ["no_session", "not_a_member", "replaced_account", "no_market", "not_open"];
const TRIES = 3; // of a node that gives no turn for another reason: it has too much to do, or its database is away
const TRY_MS = 1000;

class Club {
  facts = $state.raw<Facts>();
  /** Whose session it is. */
  member = $state.raw<Address>();
  names = $state.raw<readonly Named[]>([]);
  waiting = $state.raw<readonly Item[]>([]);

  /** Whether the page comes from a club's node. */
  get isThere(): boolean {
    return chain.deployment?.clubUrl !== undefined;
  }

  /** Whether the session is of the account that acts: another one's turns and tasks are not the person's. */
  get #isMine(): boolean {
    return this.member !== undefined && this.member === wallet.account;
  }

  /** Learns about the club, and who the browser's session is of. Raises nothing: without its node the page goes on. */
  async start() {
    if (!this.isThere) return;
    const [facts, session] = await Promise.allSettled([
      this.#ask<Facts>("GET", ""),
      this.#ask<{ account: Address }>("GET", "/session"),
    ]);
    if (facts.status === "fulfilled") this.facts = facts.value;
    if (session.status === "fulfilled") this.member = getAddress(session.value.account);
    chain.onEvent("names", () => void this.readNames());
    await this.readNames();
  }

  /** Redeems a code for an account; may be repeated until it is ready. */
  async redeem(code: string, account: Address): Promise<Membership> {
    return this.#ask<Membership>("POST", "/join", { code, account });
  }

  /** Asks for gas money; what to tell the person while it is waited for. */
  async askForGas(account: Address): Promise<string> {
    const { state, detail } = await this.#ask<Gas>("POST", "/gas", { account });
    return state === "coming" || state === "enough" ? "the club's node sends gas money" : detail;
  }

  /** Proves the account to the node, for a month. Wallets ask the person. */
  async signIn() {
    const { account, client } = wallet;
    if (!account || !client) throw new Refusal("Connect a wallet first.");
    const { text } = await this.#ask<{ text: string }>("GET", `/challenge?account=${account}`);
    const message = signInText(text, location.host, chain.deployment.chainId, account);
    const signature = await client.signMessage({ account: client.account!, message });
    await this.#ask("POST", "/session", { text: message, signature });
    this.member = account;
    await Promise.all([this.readNames(), this.readWaiting()]);
  }

  /** Ends this browser's session, so that whoever has the device next is nobody to the node. There can be one of which the page does
   * not know: the node was away when it was opened. */
  async signOut() {
    if (!this.isThere) return;
    [this.member, this.names, this.waiting] = [undefined, [], []];
    await this.#ask("DELETE", "/session").catch(() => {}); // a node that is away has forgotten it in a month
  }

  /** Has the person be called by a name from now on. Raises ClubRefusal where it is taken or none. */
  async setName(name: string) {
    const { account, client } = wallet;
    const issued_at = Math.floor(Date.now() / 1000);
    const signature = await client!.signTypedData({
      account: client!.account!,
      domain: {
        name: "Tessera club",
        version: "1",
        chainId: chain.deployment.chainId,
        verifyingContract: chain.address("PlayEuro"),
      },
      types: NAME_TYPE,
      primaryType: "Name",
      message: { account: account!, name, issuedAt: BigInt(issued_at) },
    });
    await this.#ask("POST", "/names", { account, name, issued_at, signature });
    await this.readNames();
  }

  async readNames() {
    if (!this.member) return;
    const told = await this.#ofMember<{ names: Named[] }>("/names");
    if (told) this.names = told.names;
  }

  async readWaiting() {
    if (!this.#isMine) return;
    const told = await this.#ofMember<{ items: Item[] }>("/waiting");
    if (told) this.waiting = told.items;
  }

  /** The person's turn to bet in a market; undefined where the node gives none, now or for a while, which stops nobody. Raises where
   * it is away: so is the chain, then. */
  async turn(market: bigint): Promise<Turn | undefined> {
    for (let tries = 1; this.#isMine; tries += 1) {
      try {
        return await this.#ask<Turn>("POST", "/turns", { market_id: Number(market) });
      } catch (error) {
        if (!(error instanceof ClubRefusal)) throw error;
        if (NO_TURNS.includes(error.code) || tries === TRIES) break;
      }
      await pause(TRY_MS);
    }
    return undefined;
  }

  async leaveTurn(market: bigint) {
    if (this.#isMine) await this.#ask("DELETE", `/turns/${market}`).catch(() => {});
  }

  /** What a member alone is told; undefined where the node does not answer, or not this browser any more. */
  async #ofMember<T>(path: string): Promise<T | undefined> {
    try {
      return await this.#ask<T>("GET", path);
    } catch (error) {
      if (error instanceof ClubRefusal && error.code === "no_session") this.member = undefined;
      return undefined;
    }
  }

  async #ask<T>(method: "GET" | "POST" | "DELETE", path: string, body?: object): Promise<T> {
    const answer = await patiently(() =>
      fetch(new URL(`${chain.deployment.clubUrl}${path}`, chain.base), {
        method,
        signal: AbortSignal.timeout(ANSWER_MS),
        ...(body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
      }),
    );
    if (answer.status === 204) return undefined as T;
    const told = (await answer.json().catch(() => ({}))) as { code?: string; detail?: string };
    if (answer.ok) return told as T;
    const words = told.detail ?? `The club's node answers ${answer.status}. Nothing was sent: try again in a minute.`;
    throw new ClubRefusal(told.code ?? "", words, AWAY.includes(answer.status));
  }
}

export const club = new Club();
