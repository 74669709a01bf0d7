// The conversation with the node of a host of bets (docs/host.md). What it sends is checked before anything is shown or signed.
import type { Address, Hex } from "viem";
import { betToSign, type Chosen, endOf, secondsOf, signInText } from "./asked";
import { chain } from "./chain.svelte";
import { Conversation, type Frame } from "./conversation.svelte";
import { Refusal } from "./errors";
import { sameAs } from "./follow";
import { checkedBet, isRecord, type Kind, type OpenBet, type Place } from "./listings";
import { notice } from "./notice.svelte";
import type { Stage } from "./send";
import { plain } from "./texts";
import { wallet } from "./wallet.svelte";

type Waiting = {
  readonly method: string;
  readonly about: string;
  /** What is at stake where no answer comes. */
  readonly otherwise: string;
  /** Of the bet that was signed, if it is about one. */
  readonly nonce: string | undefined;
  readonly end: (frame: Frame | Refusal) => void;
};

const ANSWER_MS = 15_000;
const SPARE_MS = 60_000; // that a challenge has to be good for when it is signed

/** Where hosted bets are on this chain; undefined where there are none. */
export function placeOfBets(): Place | undefined {
  if (!(chain.has("ProrataBets") && chain.has("OddsBets") && chain.has("OddsLens") && chain.has("Panels"))) return undefined;
  const contracts = { ProrataBets: chain.address("ProrataBets"), OddsBets: chain.address("OddsBets") };
  return { chainId: chain.deployment.chainId, contracts };
}

/** What viem needs of what both contracts of hosted bets can do. */
export const betsAt = (kind: Kind) => ({ address: chain.address(kind), abi: chain.at("ProrataBets").abi });

/** What was signed here and may not be on the chain yet. */
type Signed = {
  readonly account: Address;
  readonly relayer: Address;
  readonly nonce: bigint;
  readonly deadline: bigint;
  readonly chosen: Chosen;
};

class Host extends Conversation {
  /** The account that the host knows on this connection. */
  account = $state<Address>();
  /** The newest frame of bets, unchecked. It stays when the connection is lost. */
  bets = $state.raw<Frame>();
  #challenge = "";
  #waiting: Waiting | undefined;
  #signed: Signed[] = [];

  constructor() {
    super({
      query: "host",
      last: "host",
      ofDeployment: () => chain.deployment.hostUrl,
      port: 8700, // of `ape run host`
      path: "/",
    });
  }

  /** Whether the person whose wallet is connected is signed in. */
  get isIn(): boolean {
    return this.state === "open" && this.account !== undefined && this.account === wallet.account;
  }

  override leave() {
    super.leave();
    this.bets = undefined;
  }

  /** Proves the person's address to the host. */
  async signIn() {
    const { account, client } = wallet;
    if (!account || !client) throw new Refusal("Connect a wallet first.");
    if (this.state !== "open") throw new Refusal("The host is not connected. Nothing was signed.");
    if (endOf(this.#challenge) < Date.now() + SPARE_MS) await this.#anew();
    const message = signInText(this.#challenge, this.url!.host, chain.deployment.chainId, account);
    const signature = await client.signMessage({ account: client.account!, message });
    const answer = await this.#ask({ method: "sign_in", message, signature }, "signed_in");
    if (answer.account !== account) throw new Refusal("The host took you for somebody else. You are not signed in.");
    this.account = account;
  }

  /** Asks for a bet to sign, checks it, has it signed, and sends it. Raises where anything but what was chosen is asked for. */
  async place(chosen: Chosen, tell: (stage: Stage) => void) {
    const { account, client } = wallet;
    const place = placeOfBets();
    if (!account || !client || !place || !this.isIn) throw new Refusal("Sign in to the host first. Nothing was signed.");
    if (wallet.wrongNetwork) await wallet.goToOurChain();
    const { bet, prediction, amount } = chosen;
    tell("asking the host");
    const info = {
      bet_id: bet.number,
      desc: bet.listing.description,
      prediction: bet.listing.predictions[prediction],
      bet_amount: Number(amount) / 1e6,
      bet_amount_units: amount.toString(),
    };
    const answer = await this.#ask({ method: "bets_selected", bets_info: [info] }, "bets_to_sign");
    if (!Array.isArray(answer.bets) || answer.bets.length !== 1) {
      throw new Refusal("The host asks you to sign more or less than the bet you chose. Nothing was signed.");
    }
    const used = (nonce: bigint) => this.#signed.some((one) => one.account === account && one.nonce === nonce);
    const typed = betToSign(answer.bets[0], chosen, place, chain.time, used);
    tell("sign in your wallet");
    const socket = this.socket;
    const signature = await client.signTypedData({ account: client.account!, ...typed });
    // A signature that is made is an option of the host's wherever it gets: it counts from now on.
    const { relayer, nonce, deadline } = typed.message;
    this.#signed.push({ account, relayer, nonce, deadline, chosen });
    if (deadline <= BigInt(chain.time))
      throw new Refusal("Signing took longer than the bet is good for. Nothing was sent. Try again.");
    if (this.state !== "open" || this.socket !== socket) {
      throw new Refusal("The connection was lost while you signed. Nothing was sent. Sign in and try again.");
    }
    tell("waiting for the host");
    const otherwise = `Until ${secondsOf(bet)} seconds after you signed, the bet may still land.`;
    const send = () => this.send({ method: "bets_signed", signatures: [signature] });
    const wanted = nonce.toString();
    const { nonces } = await this.#until("bets_accepted", "bets_signed", send, { otherwise, nonce: wanted });
    if (!Array.isArray(nonces) || nonces[0] !== wanted) throw new Refusal(`The host took another bet. ${otherwise}`);
  }

  /** Names a transaction of the person's own that placed a bet: a host shows it sooner, or says that there is none. Where nobody is
   * signed in the host sees it on the chain alone. */
  name(transaction: Hex) {
    if (this.isIn) this.send({ method: "bets_placed", transactions: [transaction] });
  }

  /** What of an account's signed bets the host may still land and has not: it is to come out of the balance. */
  async pending(account: Address): Promise<bigint> {
    this.#signed = this.#signed.filter(({ deadline }) => deadline >= BigInt(chain.time));
    const mine = this.#signed.filter((one) => one.account === account);
    const landed = await Promise.all(
      mine.map(({ chosen, relayer, nonce }) =>
        chain.client.readContract({ ...betsAt(chosen.bet.kind), functionName: "is_used", args: [account, relayer, nonce] }),
      ),
    );
    return mine.reduce((sum, { chosen }, index) => sum + (landed[index] ? 0n : chosen.amount), 0n);
  }

  protected override ended() {
    this.account = undefined;
    this.#challenge = "";
    this.#waiting?.end(new Refusal(`The connection to the host was lost. ${this.#waiting.otherwise}`));
  }

  protected override take(frame: Frame) {
    const { method } = frame;
    if (method === "challenge") this.#challenge = String(frame.message);
    else if (method === "bets") {
      this.bets = frame;
      this.opened();
      if (this.#waiting?.method === "bets") this.#waiting.end(frame);
    } else if (method === this.#waiting?.method) this.#waiting!.end(frame);
    else if (method === "error") {
      const text = `The host says: ${plain(String(frame.message)).slice(0, 300)}.`;
      notice.say(text);
      // What it says of another bet that was signed before ends no waiting.
      const { about, nonce } = this.#waiting ?? {};
      if (frame.in_reply_to === about && (typeof frame.nonce !== "string" || frame.nonce === nonce)) {
        this.#waiting!.end(new Refusal(text));
      }
    }
  }

  /** Connects once more, for a challenge that is not too old. */
  async #anew() {
    await this.#until("bets", "", () => this.anew());
  }

  #ask(frame: Frame & { readonly method: string }, method: string): Promise<Frame> {
    return this.#until(method, frame.method, () => this.send(frame));
  }

  async #until(
    method: string,
    about: string,
    begin: () => void,
    { otherwise = "Nothing was signed.", nonce }: { otherwise?: string; nonce?: string } = {},
  ): Promise<Frame> {
    if (this.#waiting) throw new Refusal("The host is being asked about another bet. Nothing was signed. Try again.");
    try {
      return await new Promise<Frame>((resolve, reject) => {
        const late = setTimeout(() => reject(new Refusal(`The host does not answer. ${otherwise}`)), ANSWER_MS);
        const end = (answer: Frame | Refusal) => {
          clearTimeout(late);
          if (answer instanceof Refusal) reject(answer);
          else resolve(answer);
        };
        begin();
        this.#waiting = { method, about, otherwise, nonce, end };
      });
    } finally {
      this.#waiting = undefined;
    }
  }
}

export const host = new Host();

/** Open bets of a frame, each with what checks it: once, for as long as the host says the same of it. */
export function openBets(bets: Frame | undefined, place: Place) {
  const told = Array.isArray(bets?.open_bets) ? bets.open_bets.filter(isRecord) : [];
  return told.map((one) => ({
    id: String(one.onchain_id),
    words: plain(String(one.desc)).slice(0, 256),
    check: (): Promise<OpenBet> => sameAs(`offer ${String(one.onchain_id)}`, JSON.stringify(one), () => checkedBet(one, place)),
  }));
}

/** A stake of the person as the host tells of it. */
export type Stake = {
  readonly description: string;
  readonly prediction: string;
  readonly amount: bigint;
  readonly status: string;
  readonly outcome: string | undefined;
  readonly id: string;
  readonly transaction: Hex | undefined;
};

/** Of a list of stakes in a frame, those that can be read. */
export function stakesOf(list: unknown): Stake[] {
  if (!Array.isArray(list)) return [];
  return list.filter(isRecord).flatMap((told) => {
    const { bet_amount_units: units, bet_status: status, tx, outcome } = told;
    if (typeof units !== "string" || !/^\d{1,78}$/.test(units)) return [];
    return {
      description: plain(String(told.desc)),
      prediction: plain(String(told.prediction)),
      amount: BigInt(units),
      status: plain(String(status)),
      outcome: typeof outcome === "string" ? plain(outcome) : undefined,
      id: String(told.onchain_id),
      transaction: typeof tx === "string" ? (plain(tx) as Hex) : undefined,
    };
  });
}
