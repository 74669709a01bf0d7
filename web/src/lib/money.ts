// The ledger of Escrow, read from its entries: what came in and went out, and what was gained.
import type { Address, Hex } from "viem";
import { chain } from "./chain.svelte";
import { EUR } from "./format";
import { history } from "./history.svelte";
import { OUTCOMES, type OutcomeName } from "./markets";

// In the order of Escrow's flag.
const KINDS = [
  "DEPOSIT",
  "WITHDRAWAL",
  "DEPOSIT_SEED",
  "BET_DEBIT",
  "ACTIVATION",
  "FUNDING",
  "PAYOUT",
  "REFUND",
  "COMMISSION",
  "RESIDUE",
] as const;
export type Kind = (typeof KINDS)[number];
const PUT_IN: readonly Kind[] = ["DEPOSIT_SEED", "BET_DEBIT", "ACTIVATION", "FUNDING"];
const OUTSIDE: readonly Kind[] = ["DEPOSIT", "WITHDRAWAL"];

export type Entry = {
  readonly account: Address;
  readonly product: Address;
  readonly kind: Kind;
  /** The pot's number in its product: a market's, for the markets. */
  readonly pot: bigint;
  readonly amount: bigint;
  readonly balanceAfter: bigint;
  readonly timestamp: number;
  readonly transaction: Hex;
};

/** Entries in the chain's order, of one account or of all. */
export function entries(account?: Address): Entry[] {
  return history
    .of("Escrow", "Entry")
    .filter(({ args }) => account === undefined || args.account === account)
    .map(({ args, transactionHash }) => ({
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

export const leavesBalance = (kind: Kind) => kind === "WITHDRAWAL" || PUT_IN.includes(kind);

/** Profit and loss by the one definition: what came back from pots less what went into them. */
export function result(of: readonly Entry[]): bigint {
  return of
    .filter(({ kind }) => !OUTSIDE.includes(kind))
    .reduce((sum, { kind, amount }) => sum + (PUT_IN.includes(kind) ? -amount : amount), 0n);
}

/** What went into pots since a time: what a person's own limit counts. */
export function putInSince(account: Address, since: number): bigint {
  return entries(account)
    .filter(({ kind, timestamp }) => PUT_IN.includes(kind) && timestamp > since)
    .reduce((sum, { amount }) => sum + amount, 0n);
}

export type Standing = {
  readonly account: Address;
  readonly bets: number;
  readonly gain: bigint;
  readonly unclaimed: bigint;
  readonly brier: number | undefined;
};

/** Everybody's result in markets that are settled, best first. The Brier score is the mean squared error of the
 * probability at which a bet breaks even, stake over shares, in markets that ended YES or NO. */
export function leaderboard(): Standing[] {
  const outcomes = new Map<bigint, OutcomeName>();
  for (const { args } of history.of("LmsrMarkets", "MarketFinalized")) {
    const name = (Object.keys(OUTCOMES) as OutcomeName[]).find((one) => OUTCOMES[one] === args.outcome);
    if (name) outcomes.set(args.market_id, name);
  }
  const bets = history.of("LmsrMarkets", "BetPlaced").filter(({ args }) => outcomes.has(args.market_id));
  const markets = chain.address("LmsrMarkets");
  const settled = entries().filter(({ product, pot }) => product === markets && outcomes.has(pot));
  const accounts = [...new Set(settled.map(({ account }) => account))];
  return accounts
    .map((account) => {
      const own = settled.filter((entry) => entry.account === account);
      const ownBets = bets.filter(({ args }) => args.account === account).map(({ args }) => args);
      const claimed = new Set(own.filter(({ kind }) => kind === "PAYOUT" || kind === "REFUND").map(({ pot }) => pot));
      let unclaimed = 0n;
      for (const [market, outcome] of outcomes) {
        if (claimed.has(market)) continue;
        const there = ownBets.filter((bet) => bet.market_id === market);
        if (outcome === "INVALID") unclaimed += there.reduce((sum, bet) => sum + bet.stake, 0n);
        else {
          const winning = there.filter((bet) => bet.side === OUTCOMES[outcome]);
          unclaimed += winning.reduce((sum, bet) => sum + bet.shares, 0n) / 10n ** 12n;
        }
      }
      const scores = ownBets
        .filter((bet) => outcomes.get(bet.market_id) !== "INVALID")
        .map((bet) => {
          const breakEven = (Number(bet.stake) / Number(EUR)) / (Number(bet.shares) / 1e18);
          const won = bet.side === OUTCOMES[outcomes.get(bet.market_id)!];
          return (breakEven - (won ? 1 : 0)) ** 2;
        });
      const brier = scores.length ? scores.reduce((a, b) => a + b, 0) / scores.length : undefined;
      return { account, bets: ownBets.length, gain: result(own), unclaimed, brier };
    })
    .sort((a, b) => Number(b.gain + b.unclaimed - a.gain - a.unclaimed));
}

/** Everything the markets need of a person's account: balance, consent, tokens in the wallet, membership. */
export async function readAccount(account: Address) {
  const { client } = chain;
  const escrow = chain.at("Escrow");
  const token = await client.readContract({ ...escrow, functionName: "TOKEN" });
  const play = chain.has("PlayEuro") && token === chain.address("PlayEuro");
  const [balance, consent, held, invited, joined] = await Promise.all([
    client.readContract({ ...escrow, functionName: "balance_of", args: [account] }),
    client.readContract({ ...escrow, functionName: "consent_of", args: [account] }),
    client.readContract({ ...{ address: token, abi: chain.at("PlayEuro").abi }, functionName: "balanceOf", args: [account] }),
    play && client.readContract({ ...chain.at("PlayEuro"), functionName: "invited", args: [account] }),
    play && client.readContract({ ...chain.at("PlayEuro"), functionName: "joined", args: [account] }),
  ]);
  return { token, play, balance, consent, held, invited, joined };
}

/** Escrow's products with their consent bits, in order. */
export function products(): { name: string; address: Address; bit: bigint }[] {
  return history.of("Escrow", "ProductRegistered").map(({ args }) => ({
    name: chain.has("LmsrMarkets") && args.product === chain.address("LmsrMarkets") ? "Friends' markets" : args.product,
    address: args.product,
    bit: 1n << args.index,
  }));
}

/** The consent bit of the markets. */
export function marketsBit(): bigint {
  return products().find(({ address }) => address === chain.address("LmsrMarkets"))?.bit ?? 0n;
}
