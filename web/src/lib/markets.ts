// What friends' markets are made of: numbers of the contract, one market as read, and its words.
import type { Address, ContractFunctionReturnType } from "viem";
import { type Abis, chain } from "./chain.svelte";
import { EUR } from "./format";
import { OUTCOMES, type OutcomeName, type Side } from "./outcomes";
import type { MarketTerms } from "./source";

export const STAKE = EUR;
export const SEED = 10n * EUR;
const HOUR = 3600;
export const BETTORS_WAIT = 24 * HOUR;
export const SILENCE = 7 * 24 * HOUR;
const VOTING = 24 * HOUR;
const RULING = 48 * HOUR;

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

/** What a state means, for people. */
export const MEANS: Record<Status, string> = {
  AWAITING: "its referee has not accepted yet",
  OPEN: "betting is open",
  CLOSED: "betting has ended, no outcome is proposed yet",
  PENDING: "an outcome is proposed and can be disputed",
  DISPUTED: "the proposed outcome is disputed",
  RESOLVED: "final",
  INVALID: "cancelled: every stake is paid back",
};

const nameOf = (outcome: bigint): OutcomeName | undefined =>
  (Object.keys(OUTCOMES) as OutcomeName[]).find((name) => OUTCOMES[name] === outcome);

type Stored = ContractFunctionReturnType<Abis["LmsrMarkets"], "view", "market">;
export type Market = Omit<Stored, "status" | "outcome"> & {
  readonly id: bigint;
  readonly terms: MarketTerms;
  readonly status: Status;
  readonly outcome: OutcomeName | undefined;
  readonly prices: Record<Side, bigint>;
  /** Unix seconds at which the present stage ends by itself; 0 where it does not. */
  readonly endsAt: number;
};

/** All there is to know of some markets now, in their order. */
export const readMarkets = (terms: readonly MarketTerms[]) => Promise.all(terms.map(readMarket));

async function readMarket(terms: MarketTerms): Promise<Market> {
  const { id } = terms;
  const now = chain.time;
  const [stored, [yes, no]] = await Promise.all([
    chain.client.readContract({ ...chain.at("LmsrMarkets"), functionName: "market", args: [id] }),
    chain.client.readContract({ ...chain.at("LmsrMarkets"), functionName: "prices", args: [id] }),
  ]);
  const asOfBlock = STATUS[Number(stored.status) as keyof typeof STATUS];
  const status = asOfBlock === "OPEN" && now >= Number(stored.closes_at) ? "CLOSED" : asOfBlock;
  const hasReferee = BigInt(stored.referee) !== 0n;
  const endsAt = {
    AWAITING: Number(stored.closes_at),
    OPEN: Number(stored.closes_at),
    CLOSED: Number(stored.expected_result_at) + SILENCE,
    PENDING: Number(stored.window_ends_at),
    DISPUTED: Number(stored.disputed_at) + (hasReferee ? RULING : VOTING),
    RESOLVED: 0,
    INVALID: 0,
  }[status];
  return { ...stored, id, terms, status, outcome: nameOf(stored.outcome), prices: { YES: yes, NO: no }, endsAt };
}

export type Position = { readonly shares: Record<Side, bigint>; readonly staked: Record<Side, bigint> };

export async function readPosition(id: bigint, account: Address): Promise<Position> {
  const contract = chain.at("LmsrMarkets");
  const [yes, yesStaked, no, noStaked] = await chain.client.readContract({
    ...contract,
    functionName: "position",
    args: [id, account],
  });
  return { shares: { YES: yes, NO: no }, staked: { YES: yesStaked, NO: noStaked } };
}

/** What claiming would pay if the market ended so. */
export function payoff({ shares, staked }: Position, outcome: OutcomeName): bigint {
  return outcome === "INVALID" ? staked.YES + staked.NO : shares[outcome] / 10n ** 12n;
}

export const profit = (position: Position, outcome: OutcomeName) =>
  payoff(position, outcome) - position.staked.YES - position.staked.NO;

export const averageOdds = ({ shares, staked }: Position, side: Side) =>
  staked[side] === 0n ? undefined : (shares[side] * EUR) / staked[side];

/** The last complaint about a market's proposal, and whether an account has voted on it; unknown where the node will
 * not search so far back. */
export async function readDispute(id: bigint, disputedAt: bigint, account: Address | undefined) {
  const contract = chain.at("LmsrMarkets");
  const fromBlock = BigInt(chain.deployment.firstBlock);
  const [complaints, votes] = await Promise.all([
    chain.client.getContractEvents({
      ...contract,
      eventName: "OutcomeDisputed",
      args: { market_id: id },
      fromBlock,
      strict: true,
    }),
    chain.client.getContractEvents({
      ...contract,
      eventName: "VoteCast",
      args: { market_id: id, account },
      fromBlock,
      strict: true,
    }),
  ]).catch(() => [[], []] as const);
  const hasVoted = account !== undefined && votes.some(({ args }) => args.timestamp >= disputedAt);
  return { complaint: complaints.at(-1)?.args, hasVoted };
}
