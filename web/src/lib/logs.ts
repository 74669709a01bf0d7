// The history from logs alone: all of them are read once and kept, then block by block. For chains that are short enough.
import type { ContractEventName, Log } from "viem";
import type { Abis, Name } from "./chain.svelte";
import { chain } from "./chain.svelte";
import { happened, topic } from "./follow";
import { WAD } from "./format";
import { OUTCOMES, type OutcomeName, type Side } from "./outcomes";
import { type Entry, KINDS, type Source, type Standing } from "./source";
import { standings } from "./standings";

type Named<N extends Name, E extends ContractEventName<Abis[N]>> = Pick<
  Log<bigint, number, false, undefined, true, Abis[N], E>,
  "args" | "transactionHash"
>;

/** Events of one name up to the newest block, all of them or those whose first indexed value is `first`. */
async function events<N extends Name, E extends ContractEventName<Abis[N]>>(name: N, event: E, first?: bigint | string) {
  const rows = await happened();
  return rows.of(
    chain.address(name),
    event,
    first === undefined ? undefined : topic(first),
  ) as readonly unknown[] as readonly Named<N, E>[];
}

async function entries(account?: string): Promise<(Entry & { account: string })[]> {
  return (await events("Escrow", "Entry", account)).map(({ args, transactionHash }) => ({
    account: args.account,
    product: args.product,
    kind: KINDS[Math.log2(Number(args.kind))]!,
    pot: BigInt(args.pot),
    amount: args.amount,
    balanceAfter: args.balance_after,
    timestamp: Number(args.timestamp),
    transaction: transactionHash,
  }));
}

const nameOf = (outcome: bigint) => (Object.keys(OUTCOMES) as OutcomeName[]).find((name) => OUTCOMES[name] === outcome)!;

async function leaderboard(): Promise<Standing[]> {
  const placed = await events("LmsrMarkets", "BetPlaced");
  const prices = new Map<bigint, bigint>();
  for (const { args } of placed)
    prices.set(args.market_id, args.side === OUTCOMES.YES ? args.price_after : WAD - args.price_after);
  const created = await events("LmsrMarkets", "MarketCreated");
  const ended = await events("LmsrMarkets", "MarketFinalized");
  return standings({
    markets: created.map(({ args }) => ({
      id: args.market_id,
      creator: args.creator,
      price: prices.get(args.market_id) ?? args.p0,
    })),
    bets: placed.map(({ args }) => ({ ...args, market: args.market_id, side: nameOf(args.side) as Side })),
    ended: new Map(ended.map(({ args }) => [args.market_id, nameOf(args.outcome)])),
    moved: (await entries()).filter(({ product }) => product === chain.address("LmsrMarkets")),
  });
}

export const fromLogs: Source = {
  async markets() {
    return (await events("LmsrMarkets", "MarketCreated")).map(({ args }) => ({
      id: args.market_id,
      creator: args.creator,
      ...args.terms,
      p0: args.p0,
    }));
  },

  async prices(market) {
    const start = await events("LmsrMarkets", "MarketCreated", market);
    const bets = await events("LmsrMarkets", "BetPlaced", market);
    return [
      ...start.map(({ args }) => ({ at: Number(args.timestamp), price: Number(args.p0) / 1e18 })),
      ...bets.map(({ args }) => ({
        at: Number(args.timestamp),
        price: Number(args.side === OUTCOMES.YES ? args.price_after : WAD - args.price_after) / 1e18,
      })),
    ];
  },

  ledger: (account) => entries(account),

  leaderboard,

  async events() {
    return (await events("PredictionEvents", "EventCreated")).map(({ args }) => ({
      id: args.event_id,
      description: args.description,
      outcomes: args.outcomes,
      stopBlock: args.stop_block,
      weight: args.weight,
      notBefore: Number(args.not_before),
      deadline: Number(args.result_deadline),
    }));
  },

  async weeks() {
    return (await events("PrizePool", "PeriodClosed")).map(({ args }) => ({
      period: Number(args.period),
      revenue: args.revenue,
      pool: args.pool,
      toEvents: args.to_events,
      buyback: args.buyback,
      carried: args.carried,
    }));
  },

  async prizes(account) {
    return (await events("PredictionEvents", "Claimed"))
      .filter(({ args }) => args.account === account)
      .map(({ args }) => ({ event: args.event_id, amount: args.amount }));
  },
};
