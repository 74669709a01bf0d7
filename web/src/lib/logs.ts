// The history from logs alone: all of them are read once, then block by block. For chains that are short enough.
import { type ContractEventName, type Log, parseEventLogs } from "viem";
import { type Abis, chain, type Name } from "./chain.svelte";
import { WAD } from "./format";
import { isPutIn, result } from "./ledger";
import { OUTCOMES, type OutcomeName } from "./outcomes";
import { type Entry, KINDS, type Source, type Standing } from "./source";

const CHUNK = 2000n;

type Row<N extends Name, E extends ContractEventName<Abis[N]>> = Log<bigint, number, false, undefined, true, Abis[N], E>;

class Logs {
  #rows = new Map<string, unknown[]>();
  #next = 0n;
  #lastHash: string | undefined;
  #reading: Promise<void> | undefined;

  /** Events of one kind up to the head. Raises where the node fails; what was read until then stays. */
  async of<N extends Name, E extends ContractEventName<Abis[N]>>(contract: N, event: E): Promise<Row<N, E>[]> {
    await this.#reading; // which may have begun before the newest block
    await (this.#reading ??= this.#read().finally(() => (this.#reading = undefined)));
    return (this.#rows.get(`${contract}.${event}`) ?? []) as Row<N, E>[];
  }

  async #read() {
    const { head } = chain;
    if (head.hash === this.#lastHash) return;
    await this.#rewind(head.number);
    while (this.#next <= head.number) {
      const to = this.#next + CHUNK - 1n < head.number ? this.#next + CHUNK - 1n : head.number;
      await this.#add(this.#next, to);
      this.#next = to + 1n;
    }
    this.#lastHash = head.hash;
  }

  /** Starts anew where the last block that was read is not the chain's any more: after a reorg, or on a new devnet. */
  async #rewind(head: bigint) {
    const last = this.#next - 1n;
    const known = this.#lastHash !== undefined && last <= head;
    if (known && (await chain.client.getBlock({ blockNumber: last })).hash === this.#lastHash) return;
    this.#lastHash = undefined;
    this.#rows = new Map();
    this.#next = BigInt(chain.deployment.firstBlock);
  }

  async #add(fromBlock: bigint, toBlock: bigint) {
    const names = chain.names();
    const logs = await chain.client.getLogs({ address: names.map((name) => chain.address(name)), fromBlock, toBlock });
    for (const name of names) {
      const { address, abi } = chain.at(name);
      const own = logs.filter((log) => log.address.toLowerCase() === address.toLowerCase());
      for (const row of parseEventLogs({ abi, logs: own })) {
        const key = `${name}.${row.eventName}`;
        this.#rows.set(key, [...(this.#rows.get(key) ?? []), row]);
      }
    }
  }
}

const logs = new Logs();

async function entries(): Promise<(Entry & { account: string })[]> {
  return (await logs.of("Escrow", "Entry")).map(({ args, transactionHash }) => ({
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

async function leaderboard(): Promise<Standing[]> {
  const outcomes = new Map<bigint, OutcomeName>();
  for (const { args } of await logs.of("LmsrMarkets", "MarketFinalized")) {
    const name = (Object.keys(OUTCOMES) as OutcomeName[]).find((one) => OUTCOMES[one] === args.outcome);
    if (name && name !== "INVALID") outcomes.set(args.market_id, name);
  }
  const bets = await logs.of("LmsrMarkets", "BetPlaced");
  const moved = (await entries()).filter(({ product }) => product === chain.address("LmsrMarkets"));
  const standings = [...new Set(moved.filter(({ kind }) => isPutIn(kind)).map(({ account }) => account))].map((account) => {
    const own = bets.filter(({ args }) => args.account === account).map(({ args }) => args);
    const scores = own
      .filter((bet) => outcomes.has(bet.market_id))
      .map((bet) => {
        const breakEven = (Number(bet.stake) * 1e12) / Number(bet.shares);
        return (breakEven - (bet.side === OUTCOMES[outcomes.get(bet.market_id)!] ? 1 : 0)) ** 2;
      });
    return {
      account: account as Standing["account"],
      profit: result(moved.filter((entry) => entry.account === account)),
      bets: own.length,
      brier: scores.length ? scores.reduce((sum, one) => sum + one, 0) / scores.length : undefined,
    };
  });
  return standings.sort((a, b) => Number(b.profit - a.profit) || (a.account < b.account ? -1 : 1));
}

export const fromLogs: Source = {
  async markets() {
    return (await logs.of("LmsrMarkets", "MarketCreated")).map(({ args }) => ({
      id: args.market_id,
      creator: args.creator,
      ...args.terms,
      p0: args.p0,
    }));
  },

  async prices(market) {
    const start = (await logs.of("LmsrMarkets", "MarketCreated")).filter(({ args }) => args.market_id === market);
    const bets = (await logs.of("LmsrMarkets", "BetPlaced")).filter(({ args }) => args.market_id === market);
    return [
      ...start.map(({ args }) => ({ at: Number(args.timestamp), price: Number(args.p0) / 1e18 })),
      ...bets.map(({ args }) => ({
        at: Number(args.timestamp),
        price: Number(args.side === OUTCOMES.YES ? args.price_after : WAD - args.price_after) / 1e18,
      })),
    ];
  },

  async ledger(account) {
    return (await entries()).filter((entry) => entry.account === account);
  },

  leaderboard,

  async events() {
    return (await logs.of("PredictionEvents", "EventCreated")).map(({ args }) => ({
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
    return (await logs.of("PrizePool", "PeriodClosed")).map(({ args }) => ({
      period: Number(args.period),
      revenue: args.revenue,
      pool: args.pool,
      toEvents: args.to_events,
      buyback: args.buyback,
      carried: args.carried,
    }));
  },

  async prizes(account) {
    return (await logs.of("PredictionEvents", "Claimed"))
      .filter(({ args }) => args.account === account)
      .map(({ args }) => ({ event: args.event_id, amount: args.amount }));
  },
};
