// What friends' markets are made of: numbers of the contract, one market as read, and its words.
import type { Address, ContractFunctionReturnType } from "viem";
import { type Abis, chain } from "./chain.svelte";
import { isRevert } from "./errors";
import { whileSame } from "./follow";
import { EUR } from "./format";
import { OUTCOMES, type OutcomeName, type Side } from "./outcomes";
import type { MarketTerms } from "./source";
import { named } from "./texts";

export const STAKE = EUR;
export const SEED = 10n * EUR;
const HOUR = 3600;
export const BETTORS_WAIT = 24 * HOUR;
export const SILENCE = 7 * 24 * HOUR;

const STATUS = {
  1: "AWAITING",
  2: "OPEN",
  4: "CLOSED",
  8: "PENDING",
  16: "DISPUTED",
  32: "RESOLVED",
  64: "INVALID",
} as const;
export type Status = (typeof STATUS)[keyof typeof STATUS];
export const STATUSES = Object.values(STATUS);

/** What a state is called, and what it means for people. */
export const CALLED: Record<Status, string> = {
  AWAITING: "Waits for its referee",
  OPEN: "Open",
  CLOSED: "Betting ended",
  PENDING: "Result proposed",
  DISPUTED: "Disputed",
  RESOLVED: "Final",
  INVALID: "Cancelled",
};
export const MEANS: Record<Status, string> = {
  AWAITING: "nobody can bet until the referee accepts",
  OPEN: "betting is open",
  CLOSED: "betting has ended, no outcome is proposed yet",
  PENDING: "an outcome is proposed and can be disputed",
  DISPUTED: "the proposed outcome is disputed",
  RESOLVED: "the outcome is final",
  INVALID: "every stake is paid back",
};

/** An outcome in people's words. */
export const OUTCOME: Record<OutcomeName, string> = { YES: "YES", NO: "NO", INVALID: "cancelled" };

/** A market's state in one line: "Final: YES", "Cancelled". */
export const stateOf = ({ status, outcome }: Pick<Market, "status" | "outcome">) =>
  outcome && status !== "INVALID" ? `${CALLED[status]}: ${OUTCOME[outcome]}` : CALLED[status];

const nameOf = (outcome: bigint): OutcomeName | undefined =>
  (Object.keys(OUTCOMES) as OutcomeName[]).find((name) => OUTCOMES[name] === outcome);

type Stored = ContractFunctionReturnType<Abis["LmsrMarkets"], "view", "market">;
export type Market = Omit<Stored, "status" | "outcome"> & {
  readonly id: bigint;
  readonly terms: MarketTerms;
  readonly status: Status;
  readonly outcome: OutcomeName | undefined;
  /** Unix seconds at which the present stage ends by itself; 0 where it does not. */
  readonly endsAt: number;
};

/** What one euro buys on a side now: shares in WAD, and the price of the side before and after. */
export type Quote = { readonly price: bigint; readonly shares: bigint; readonly priceAfter: bigint };
export type Offer = Record<Side, Quote | undefined>;

export const isOver = ({ status }: Pick<Market, "status">) => status === "RESOLVED" || status === "INVALID";

const contract = () => chain.at("LmsrMarkets");
const ofMarket = (id: bigint) => ({ by: chain.address("LmsrMarkets"), first: id });

/** What the contract stores of a market; asked for again when it has logged something about it. */
const readStored = (id: bigint) =>
  whileSame(`market ${id}`, [ofMarket(id)], () =>
    chain.client.readContract({ ...contract(), functionName: "market", args: [id] }),
  );

/** Markets in the stage that they are in by the chain's clock, in their order. */
export const readMarkets = (terms: readonly MarketTerms[]): Promise<Market[]> =>
  Promise.all(terms.map(async (one) => marketAt(one, await readStored(one.id), chain.time)));

export function marketAt(terms: MarketTerms, stored: Stored, now: number): Market {
  const asOfBlock = STATUS[Number(stored.status) as keyof typeof STATUS];
  const status = asOfBlock === "OPEN" && now >= Number(stored.closes_at) ? "CLOSED" : asOfBlock;
  const endsAt = {
    AWAITING: Number(stored.closes_at),
    OPEN: Number(stored.closes_at),
    CLOSED: Number(stored.expected_result_at) + SILENCE,
    PENDING: Number(stored.window_ends_at),
    DISPUTED: 0, // its votes move it: see Dispute
    RESOLVED: 0,
    INVALID: 0,
  }[status];
  return { ...stored, id: terms.id, terms, status, outcome: nameOf(stored.outcome), endsAt };
}

export const readPrices = (id: bigint): Promise<Record<Side, bigint>> =>
  whileSame(`prices now ${id}`, [ofMarket(id)], async () => {
    const [YES, NO] = await chain.client.readContract({ ...contract(), functionName: "prices", args: [id] });
    return { YES, NO };
  });

/** What bets of one euro on a side would buy, in a row; undefined where the contract takes none. */
export const readDepth = (id: bigint, side: Side, bets: bigint) =>
  whileSame(`depth ${id} ${side} ${bets}`, [ofMarket(id)], async () => {
    const args = [id, OUTCOMES[side], bets] as const;
    try {
      const [shares, priceAfter] = await chain.client.readContract({ ...contract(), functionName: "depth", args });
      return { shares, priceAfter };
    } catch (error) {
      if (isRevert(error)) return undefined;
      throw error;
    }
  });

/** Prices, and what one euro buys on either side. */
export async function readOffer(id: bigint): Promise<{ prices: Record<Side, bigint>; offer: Offer }> {
  const [prices, yes, no] = await Promise.all([readPrices(id), readDepth(id, "YES", 1n), readDepth(id, "NO", 1n)]);
  return { prices, offer: { YES: yes && { price: prices.YES, ...yes }, NO: no && { price: prices.NO, ...no } } };
}

/** The one number called odds: what a bet of one euro pays for each euro, in WAD. */
export const oddsOf = ({ shares }: { readonly shares: bigint }) => (shares * EUR) / STAKE;

/** How much worse the odds may have become when a bet's turn comes: in percent, and in words. */
export const SLACKS = [
  [0, "only at these odds or better"],
  [10, "if it pays at most a tenth less"],
  [25, "if it pays at most a quarter less"],
  [50, "if it pays at most half less"],
] as const;

/** The least shares that a person takes for a euro; rounded up. */
export const leastFor = ({ shares }: Pick<Quote, "shares">, slackPercent: number): bigint =>
  (shares * BigInt(100 - slackPercent) + 99n) / 100n;

/** What a bet loses on average if the price before it is the true probability; rounded up to a thousandth of a euro. */
export function expectedLoss({ shares, price }: Quote): bigint {
  const loss = STAKE - (shares * price) / 10n ** 30n;
  return ((loss + 999n) / 1000n) * 1000n;
}

export const readExposure = (id: bigint) =>
  whileSame(`exposure ${id}`, [ofMarket(id)], () =>
    chain.client.readContract({ ...contract(), functionName: "exposure", args: [id] }),
  );

export type Position = { readonly shares: Record<Side, bigint>; readonly staked: Record<Side, bigint> };

/** What an account has in a market. Claiming, which empties it, is in the ledger alone. */
export const readPosition = (id: bigint, account: Address): Promise<Position> =>
  whileSame(`position ${id} ${account}`, [ofMarket(id), { by: chain.address("Escrow"), first: account }], async () => {
    const [yes, yesStaked, no, noStaked] = await chain.client.readContract({
      ...contract(),
      functionName: "position",
      args: [id, account],
    });
    return { shares: { YES: yes, NO: no }, staked: { YES: yesStaked, NO: noStaked } };
  });

/** What claiming would pay if the market ended so. */
export function payoff({ shares, staked }: Position, outcome: OutcomeName): bigint {
  return outcome === "INVALID" ? staked.YES + staked.NO : shares[outcome] / 10n ** 12n;
}

export const profit = (position: Position, outcome: OutcomeName) =>
  payoff(position, outcome) - position.staked.YES - position.staked.NO;

export const averageOdds = ({ shares, staked }: Position, side: Side) =>
  staked[side] === 0n ? undefined : (shares[side] * EUR) / staked[side];

/** The votes of a dispute by what they are for, and what would be settled if nothing else happened. */
export type Dispute = {
  readonly heads: Record<OutcomeName, bigint>;
  readonly stakes: Record<OutcomeName, bigint>;
  readonly staked: bigint;
  readonly early: boolean;
  /** Undefined: an early proposal would be refused. */
  readonly conclusion: OutcomeName | undefined;
  readonly endsAt: number;
  readonly doubtOnlyFrom: number;
  readonly complaints: readonly {
    readonly account: Address;
    readonly outcome: OutcomeName | undefined;
    readonly reason: string;
  }[];
  /** What the account votes for. */
  readonly mine: OutcomeName | undefined;
};

const byOutcome = ([YES, NO, INVALID]: readonly [bigint, bigint, bigint]) => ({ YES, NO, INVALID });

/** The dispute of a market; no complaints where the node will not search so far back. */
export const readDispute = (id: bigint, account: Address | undefined): Promise<Dispute> =>
  whileSame(`dispute ${id} ${account}`, [ofMarket(id)], async () => {
    const { client, deployment } = chain;
    const [tally, vote, complaints] = await Promise.all([
      client.readContract({ ...contract(), functionName: "tally", args: [id] }),
      account && client.readContract({ ...contract(), functionName: "vote_of", args: [id, account] }),
      client
        .getContractEvents({
          ...contract(),
          eventName: "OutcomeDisputed",
          args: { market_id: id },
          fromBlock: BigInt(deployment.firstBlock),
          strict: true,
        })
        .catch(() => []),
    ]);
    return {
      heads: byOutcome(tally.heads),
      stakes: byOutcome(tally.stakes),
      staked: tally.staked,
      early: tally.early,
      conclusion: nameOf(tally.conclusion),
      endsAt: Number(tally.ends_at),
      doubtOnlyFrom: Number(tally.doubt_only_from),
      complaints: complaints.map(({ args }) => ({
        account: args.account,
        outcome: nameOf(args.outcome),
        reason: named(args.reason, "(no reason)"),
      })),
      mine: vote === undefined ? undefined : nameOf(vote),
    };
  });
