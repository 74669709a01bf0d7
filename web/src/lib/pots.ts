// A person's hosted bets as the chain has them, whoever hosts them and wherever that host is: what is staked, what waits, what
// can be settled and taken. Anybody may settle, and claim for anybody, so no host is needed for it.
import { type Address, decodeFunctionResult, encodeFunctionData, type Hex, numberToHex } from "viem";
import { chain } from "./chain.svelte";
import { type Explanation, explain, isRevert, Refusal } from "./errors";
import { forGood, happened, whileSame } from "./follow";
import { history } from "./history";
import { betsAt, placeOfBets } from "./host.svelte";
import { isPutIn } from "./ledger";
import type { Cover, Kind, Listing, OpenBet } from "./listings";
import { type Call, call } from "./send";
import { named } from "./texts";

/** A ticket of a bet at fixed odds: `waits` is what is not confirmed yet. */
type Ticket = { readonly id: bigint; readonly prediction: number; readonly confirmed: bigint; readonly waits: bigint };

export type Pot = {
  readonly id: Hex;
  readonly kind: Kind;
  readonly description: string;
  readonly predictions: readonly string[];
  /** Confirmed outside of tickets and not claimed, a number for each prediction. */
  readonly stakes: readonly bigint[];
  readonly tickets: readonly Ticket[];
  readonly panel: bigint;
  /** Unix seconds: as the host closed it, as listed, and until when the panel can report. */
  readonly closesAt: number;
  readonly reportsFrom: number;
  readonly deadline: number;
  readonly putIn: bigint;
  readonly cameBack: bigint;
  readonly settled: boolean;
  readonly refunded: boolean;
  /** The prediction that came true, once it is settled. */
  readonly outcome: string | undefined;
  /** What can be taken now. */
  readonly claimable: bigint;
  /** Whether anybody can settle it now, or why not; undefined as long as betting runs, and once it is settled. */
  readonly settling: Explanation | "ready" | undefined;
};

const KINDS: readonly Kind[] = ["ProrataBets", "OddsBets"];
const MOST_TICKETS = 64; // that one claim takes

type Arguments = { readonly [name: string]: unknown };

/** Logs of one event of one bet: from the feed, or where an index tells the history, asked for by the bet's id. */
async function logsOf(kind: Kind, eventName: "BetListed" | "TicketQueued", id: Hex): Promise<readonly Arguments[]> {
  const { indexUrl, firstBlock } = chain.deployment;
  const contract = chain.at(kind);
  if (!indexUrl) return (await happened()).of(contract.address, eventName, id).map(({ args }) => args);
  return whileSame(`${eventName} ${id}`, [{ by: contract.address, event: eventName, first: id }], async () => {
    const logs = await chain.client.getContractEvents({
      ...chain.at("OddsBets"), // which has all the events of both
      address: contract.address,
      eventName,
      args: { bet_id: id },
      fromBlock: BigInt(firstBlock),
      strict: true,
    });
    return logs.map(({ args }) => args as Arguments);
  });
}

/** What a call would return now; undefined where the contract refuses it. Asked together with all else that is read. */
async function dryRun({ address, ...asked }: Call): Promise<Hex | undefined> {
  try {
    return (await chain.client.call({ to: address, data: encodeFunctionData(asked) })).data;
  } catch (error) {
    if (isRevert(error)) return undefined;
    throw error;
  }
}

/** Settles a bet. */
export const settle = ({ kind, id }: Pick<Pot, "kind" | "id">): Call => call(betsAt(kind), "settle", [id]);

/** Takes back what waits of a ticket. */
export const cancel = (id: Hex, ticket: Ticket): Call => call(chain.at("OddsBets"), "cancel", [id, ticket.id]);

/** Pays an account all that a settled bet owes it. */
export function claim(
  { kind, id, predictions, tickets }: Pick<Pot, "kind" | "id" | "predictions" | "tickets">,
  account: Address,
): Call {
  if (kind === "ProrataBets") return call(chain.at(kind), "claim", [id, account]);
  const ids = tickets.slice(0, MOST_TICKETS).map((ticket) => ticket.id);
  return call(chain.at(kind), "claim", [id, account, predictions.map((_, prediction) => BigInt(prediction)), ids]);
}

/** What a claim would pay: both contracts' `claim` return it. */
async function claimableNow(pot: Pick<Pot, "kind" | "id" | "predictions" | "tickets">, account: Address): Promise<bigint> {
  const data = await dryRun(claim(pot, account));
  return data === undefined ? 0n : decodeFunctionResult({ ...chain.at("ProrataBets"), functionName: "claim", data });
}

async function settlingNow(pot: Pick<Pot, "kind" | "id">): Promise<Explanation | "ready"> {
  const { address, ...asked } = settle(pot);
  return chain.client.call({ to: address, data: encodeFunctionData(asked) }).then(
    () => "ready" as const,
    (error: unknown) => {
      if (isRevert(error)) return explain(error);
      throw error;
    },
  );
}

const termsOf = (kind: Kind, id: Hex) =>
  chain.client.readContract({
    address: chain.address(kind === "OddsBets" ? "OddsLens" : kind),
    abi: chain.at("OddsLens").abi,
    functionName: "terms",
    args: [id],
  });

async function verdictOf(kind: Kind, id: Hex): Promise<{ settled: boolean; refunded: boolean; outcome: bigint }> {
  return kind === "OddsBets"
    ? chain.client.readContract({ ...chain.at("OddsLens"), functionName: "verdict", args: [id] })
    : chain.client.readContract({ ...chain.at(kind), functionName: "settlement", args: [id] });
}

async function ticketsOf(id: Hex, account: Address): Promise<Ticket[]> {
  const queued = (await logsOf("OddsBets", "TicketQueued", id)).filter((args) => args.account === account);
  const tickets = await Promise.all(
    queued.map(async ({ ticket_id }) => {
      const number = ticket_id as bigint;
      const { confirmed, pending } = await chain.client.readContract({
        ...chain.at("OddsLens"),
        functionName: "ticket",
        args: [id, number],
      });
      return { id: number, prediction: Number(number >> 32n), confirmed, waits: pending };
    }),
  );
  return tickets.filter(({ confirmed, waits }) => confirmed + waits > 0n);
}

/** What the chain stores of a bet for an account; read again when the bet or the account's money has changed. */
const stored = (kind: Kind, id: Hex, account: Address) =>
  whileSame(
    `pot ${id} ${account}`,
    [
      { by: chain.address(kind), first: id },
      { by: chain.address("Escrow"), first: account },
    ],
    async () => {
      const [terms, verdict, tickets, listed] = await Promise.all([
        termsOf(kind, id),
        verdictOf(kind, id),
        kind === "OddsBets" ? ticketsOf(id, account) : [],
        forGood(`listing ${id}`, async () => {
          const rows = await logsOf(kind, "BetListed", id);
          if (rows.length === 0) throw new Error("The node tells no logs of this bet's listing.");
          return rows[0]!.listing as Listing;
        }).catch(() => undefined),
      ]);
      const predictions = Array.from({ length: Number(terms.predictions) }, (_, number) =>
        named(listed?.predictions[number] ?? "", `prediction ${number + 1}`),
      );
      const stakes = await Promise.all(
        predictions.map((_, number) =>
          chain.client.readContract({ ...betsAt(kind), functionName: "stake_of", args: [id, BigInt(number), account] }),
        ),
      );
      const pot = { id, kind, description: named(listed?.description ?? "", `Bet ${id}`), predictions, stakes, tickets };
      const claimable = verdict.settled ? await claimableNow(pot, account) : 0n;
      return {
        ...pot,
        claimable,
        panel: terms.panel_id,
        closesAt: Number(terms.closes_at),
        reportsFrom: Number(terms.listed_closes_at),
        deadline: Number(terms.result_deadline),
        settled: verdict.settled,
        refunded: verdict.refunded,
        outcome: verdict.settled && !verdict.refunded ? predictions[Number(verdict.outcome)] : undefined,
      };
    },
  );

/** Every hosted bet that an account ever staked in, the newest first. */
export async function readPots(account: Address): Promise<Pot[]> {
  if (!placeOfBets()) return [];
  const ledger = await history().ledger(account);
  const kinds = new Map(KINDS.map((kind) => [chain.address(kind), kind]));
  const pots = new Map<string, { kind: Kind; id: Hex; putIn: bigint; cameBack: bigint }>();
  for (const { product, pot, kind: what, amount } of ledger) {
    const kind = kinds.get(product);
    if (kind === undefined) continue;
    const key = `${kind} ${pot}`;
    const known = pots.get(key);
    if (!known && what !== "BET_DEBIT") continue; // a host's own money
    const sum = known ?? { kind, id: numberToHex(pot, { size: 32 }), putIn: 0n, cameBack: 0n };
    const isIn = isPutIn(what);
    pots.set(key, { ...sum, putIn: sum.putIn + (isIn ? amount : 0n), cameBack: sum.cameBack + (isIn ? 0n : amount) });
  }
  const now = chain.time;
  return Promise.all(
    [...pots.values()].reverse().map(async ({ kind, id, putIn, cameBack }) => {
      const pot = await stored(kind, id, account);
      const settling = pot.settled || now < pot.reportsFrom ? undefined : await settlingNow(pot);
      return { ...pot, putIn, cameBack, settling };
    }),
  );
}

/** Who decides a bet, read once: panels never change. Raises Refusal where there is no such panel. */
export const panelOf = (id: bigint) =>
  forGood(`panel ${id}`, async () => {
    const [members, threshold] = await Promise.all([
      chain.client.readContract({ ...chain.at("Panels"), functionName: "members_of", args: [id] }),
      chain.client.readContract({ ...chain.at("Panels"), functionName: "threshold_of", args: [id] }),
    ]);
    if (members.length === 0) throw new Refusal(`There is no panel ${id}: nobody would decide this bet.`);
    return { members, threshold };
  });

/** What backs a listed bet at odds. */
export const readCover = (id: Hex, predictions: number): Promise<Cover> =>
  whileSame(`cover ${id}`, [{ by: chain.address("OddsBets"), first: id }], async () => {
    const lens = chain.at("OddsLens");
    const [book, ...lines] = await Promise.all([
      chain.client.readContract({ ...lens, functionName: "book", args: [id] }),
      ...Array.from({ length: predictions }, (_, number) =>
        chain.client.readContract({ ...lens, functionName: "line", args: [id, BigInt(number)] }),
      ),
    ]);
    return { bankroll: book.bankroll, staked: lines.map((line) => line.staked), waiting: lines.map((line) => line.waiting) };
  });

/** Stakes on a prediction by a transaction of one's own, which lists the bet where nobody has bet yet; at odds at least `covered`
 * is confirmed, or nothing is done. A bet at odds that is not listed has to be `list`ed first. */
export function placing(
  { kind, id, listing, transaction, offer, voucher }: OpenBet,
  prediction: number,
  stake: bigint,
  covered: bigint,
): Call {
  const number = BigInt(prediction);
  if (kind === "OddsBets") return call(chain.at(kind), "place", [id, number, stake, covered, voucher]);
  if (transaction) return call(chain.at(kind), "place", [id, number, stake, voucher]);
  return call(chain.at(kind), "list_and_place", [listing, offer, number, stake, voucher]);
}

/** Lists a bet that its host offers. */
export const list = ({ kind, listing, offer }: OpenBet): Call => call(betsAt(kind), "list_bet", [listing, offer]);

/** A listed pool: stakes of all, and an account's own, on each prediction. */
export const readPool = (id: Hex, predictions: number, account: Address | undefined) =>
  whileSame(`pool ${id} ${account}`, [{ by: chain.address("ProrataBets"), first: id }], async () => {
    const contract = chain.at("ProrataBets");
    const each = Array.from({ length: predictions }, (_, number) => BigInt(number));
    const [staked, mine] = await Promise.all([
      Promise.all(each.map((number) => chain.client.readContract({ ...contract, functionName: "staked", args: [id, number] }))),
      Promise.all(
        each.map((number) =>
          account ? chain.client.readContract({ ...contract, functionName: "stake_of", args: [id, number, account] }) : 0n,
        ),
      ),
    ]);
    return { staked, mine };
  });
