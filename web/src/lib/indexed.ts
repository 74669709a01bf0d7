// The history from an event index's read API (docs/index.md), for chains too long to read all logs of.
import type { Address, Hex } from "viem";
import { chain } from "./chain.svelte";
import { Refusal } from "./errors";
import { pause } from "./pause";
import type { Kind, Source } from "./source";
import { ranked } from "./standings";

const PAGE = 1000;
const PATIENCE = 10; // seconds that an index may be behind the chain before its answer is taken as it is
const SILENCE_MS = 10_000;
const silent = (): never => {
  throw new Refusal("The event index does not answer. Nothing is lost: the page tries again by itself.");
};

type Stamped = { readonly block: number };
type Page<T> = Stamped & { readonly total: number; readonly answers: readonly T[] };

export function fromIndex(url: string): Source {
  async function get<T extends Stamped>(path: string): Promise<T> {
    const wanted = chain.head.number; // not those that come meanwhile: an index may always be one behind
    for (let waited = 0; ; waited += 1) {
      const answer = await fetch(`${url.replace(/\/$/, "")}${path}`, { signal: AbortSignal.timeout(SILENCE_MS) }).catch(silent);
      if (!answer.ok) throw new Refusal(`The event index answers ${answer.status} to ${path}.`);
      const found = (await answer.json().catch(silent)) as T;
      if (BigInt(found.block) >= wanted || waited === PATIENCE) return found;
      await pause(1000);
    }
  }

  async function all<T>(path: string): Promise<T[]> {
    const found: T[] = [];
    for (;;) {
      const page = await get<Page<T>>(`${path}?offset=${found.length}&limit=${PAGE}`);
      found.push(...page.answers);
      if (page.answers.length === 0 || found.length >= page.total) return found;
    }
  }

  return {
    async markets() {
      type Told = Record<"question" | "yes" | "no" | "rules" | "source" | "p0", string> & { market_id: number; creator: Address };
      return (await all<Told>("/markets")).map((one) => ({ ...one, id: BigInt(one.market_id), p0: BigInt(one.p0) }));
    },

    async prices(market) {
      const told = await all<{ timestamp: number; p_yes: string }>(`/markets/${market}/prices`);
      return told.map(({ timestamp, p_yes }) => ({ at: timestamp, price: Number(p_yes) / 1e18 }));
    },

    async ledger(account) {
      type Told = Record<"pot" | "amount" | "balance_after", string> & {
        product: Address;
        kind: Kind;
        timestamp: number;
        transaction: Hex;
      };
      return (await all<Told>(`/accounts/${account}/ledger`)).map((one) => ({
        ...one,
        pot: BigInt(one.pot),
        amount: BigInt(one.amount),
        balanceAfter: BigInt(one.balance_after),
      }));
    },

    async leaderboard() {
      const told = await all<{ account: Address; profit: string; running: string; bets: number; brier: number | null }>(
        "/leaderboard",
      );
      return ranked(
        told.map((one) => ({ ...one, profit: BigInt(one.profit), running: BigInt(one.running), brier: one.brier ?? undefined })),
      );
    },

    async events() {
      type Told = Record<"event_id" | "stop_block" | "weight" | "not_before" | "result_deadline", number> & {
        description: string;
        outcomes: string[];
      };
      return (await all<Told>("/events")).map((one) => ({
        id: BigInt(one.event_id),
        description: one.description,
        outcomes: one.outcomes,
        stopBlock: BigInt(one.stop_block),
        weight: BigInt(one.weight),
        notBefore: one.not_before,
        deadline: one.result_deadline,
      }));
    },

    async weeks() {
      type Told = Record<"revenue" | "pool" | "to_events" | "buyback" | "carried", string> & { period: number };
      return (await all<Told>("/weeks")).map((one) => ({
        period: one.period,
        revenue: BigInt(one.revenue),
        pool: BigInt(one.pool),
        toEvents: BigInt(one.to_events),
        buyback: BigInt(one.buyback),
        carried: BigInt(one.carried),
      }));
    },

    async prizes(account) {
      type Told = Stamped & { answer: { prizes: { event_id: number; amount: string }[] } };
      const { answer } = await get<Told>(`/accounts/${account}/portfolio`);
      return answer.prizes.map(({ event_id, amount }) => ({ event: BigInt(event_id), amount: BigInt(amount) }));
    },
  };
}
