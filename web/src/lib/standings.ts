// Who gained and lost how much in markets, what runs at its present value, and how good the odds taken were.
import type { Address } from "viem";
import { isPutIn, result } from "./ledger";
import type { OutcomeName, Side } from "./outcomes";
import type { Entry, Standing } from "./source";

const UNIT = 10n ** 12n; // shares in one unit of money
const VALUE = 10n ** 30n; // shares times price in one unit of money

export type Told = {
  /** With the present price of YES, WAD. */
  readonly markets: readonly { readonly id: bigint; readonly creator: string; readonly price: bigint }[];
  readonly bets: readonly {
    readonly market: bigint;
    readonly account: string;
    readonly side: Side;
    readonly shares: bigint;
    readonly stake: bigint;
  }[];
  readonly ended: ReadonlyMap<bigint, OutcomeName>;
  /** Of the markets' pots alone. */
  readonly moved: readonly (Entry & { readonly account: string })[];
};

/** Map.groupBy, which Node 20 and browsers before 2024 do not have. */
function grouped<T, K>(list: readonly T[], by: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of list) {
    const group = groups.get(by(item));
    if (group) group.push(item);
    else groups.set(by(item), [item]);
  }
  return groups;
}

/** By account: what its bets and seeds are worth now. While a market runs a share is worth its price, and a seed what shares
 * leave of the pot; after it, what is not claimed yet counts. Rounded down for each market, as tessera.accounting.worth does. */
export function inMarkets({ markets, bets, ended, moved }: Told): Map<string, bigint> {
  const WAD = 10n ** 18n;
  const worth = new Map<string, bigint>();
  const add = (account: string, amount: bigint) => worth.set(account, (worth.get(account) ?? 0n) + amount);
  const of = grouped(bets, ({ market }) => market);
  const seeds = new Map<bigint, bigint>();
  const returned = new Set<string>();
  for (const { kind, pot, amount, account } of moved) {
    if (kind === "DEPOSIT_SEED") seeds.set(pot, (seeds.get(pot) ?? 0n) + amount);
    if (kind === "PAYOUT" || kind === "REFUND") returned.add(`${pot} ${account}`);
  }
  for (const { id, creator, price } of markets) {
    const outcome = ended.get(id);
    const price_of = { YES: price, NO: WAD - price };
    let [owed, pot] = [0n, seeds.get(id) ?? 0n];
    for (const [account, own] of grouped(of.get(id) ?? [], ({ account }) => account)) {
      const staked = own.reduce((sum, { stake }) => sum + stake, 0n);
      const value = own.reduce((sum, { side, shares }) => sum + shares * price_of[side], 0n);
      [owed, pot] = [owed + value, pot + staked];
      if (outcome === undefined) add(account, value / VALUE);
      else if (!returned.has(`${id} ${account}`)) {
        const won = own.filter(({ side }) => side === outcome).reduce((sum, { shares }) => sum + shares, 0n);
        add(account, outcome === "INVALID" ? staked : won / UNIT);
      }
    }
    if (outcome === undefined) add(creator, pot - (owed + VALUE - 1n) / VALUE);
  }
  return worth;
}

/** Everybody who ever put something into a market, greatest worth first. */
export function standings(told: Told): Standing[] {
  const running = inMarkets(told);
  const betsOf = grouped(told.bets, ({ account }) => account);
  const list = [...grouped(told.moved, ({ account }) => account)]
    .filter(([, own]) => own.some(({ kind }) => isPutIn(kind)))
    .map(([account, own]) => {
      const bets = betsOf.get(account) ?? [];
      const scores = bets.flatMap(({ market, side, shares, stake }) => {
        const outcome = told.ended.get(market);
        if (outcome === undefined || outcome === "INVALID") return [];
        return [((Number(stake) * 1e12) / Number(shares) - (side === outcome ? 1 : 0)) ** 2];
      });
      return {
        account: account as Address,
        profit: result(own),
        running: running.get(account) ?? 0n,
        bets: bets.length,
        brier: scores.length ? scores.reduce((sum, score) => sum + score, 0) / scores.length : undefined,
      };
    });
  return ranked(list);
}

export const worthOf = ({ profit, running }: Standing) => profit + running;

export const ranked = (list: readonly Standing[]): Standing[] =>
  list.toSorted((a, b) => Number(worthOf(b) - worthOf(a)) || (a.account < b.account ? -1 : 1));
