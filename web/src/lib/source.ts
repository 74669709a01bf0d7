// What happened, as the page needs it, whoever tells it.
import type { Address, Hex } from "viem";

export type MarketTerms = {
  readonly id: bigint;
  readonly creator: Address;
  readonly question: string;
  readonly yes: string;
  readonly no: string;
  readonly rules: string;
  readonly source: string;
  readonly p0: bigint;
};

/** The price of YES, 0 to 1, from a time in unix seconds on. */
export type Price = { readonly at: number; readonly price: number };

// In the order of Escrow's flag.
export const KINDS = [
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

/** A movement of a balance in Escrow; `pot` is a market's number where the product is the markets. */
export type Entry = {
  readonly product: Address;
  readonly kind: Kind;
  readonly pot: bigint;
  readonly amount: bigint;
  readonly balanceAfter: bigint;
  readonly timestamp: number;
  readonly transaction: Hex;
};

/** An account's result in all markets, and the mean Brier score of its bets in those that ended YES or NO. */
export type Standing = {
  readonly account: Address;
  readonly profit: bigint;
  /** What of it is still in markets, at present prices: `profit` has it as if lost. */
  readonly running: bigint;
  readonly bets: number;
  readonly brier: number | undefined;
};

export type EventTerms = {
  readonly id: bigint;
  readonly description: string;
  readonly outcomes: readonly string[];
  readonly stopBlock: bigint;
  readonly weight: bigint;
  readonly notBefore: number;
  readonly deadline: number;
};

export type ClosedWeek = {
  readonly period: number;
  readonly revenue: bigint;
  readonly pool: bigint;
  readonly toEvents: bigint;
  readonly buyback: bigint;
  readonly carried: bigint;
};

export type Prize = { readonly event: bigint; readonly amount: bigint };

/** Lists are in the chain's order; the leaderboard begins with the best. */
export interface Source {
  markets(): Promise<MarketTerms[]>;
  prices(market: bigint): Promise<Price[]>;
  ledger(account: Address): Promise<Entry[]>;
  leaderboard(): Promise<Standing[]>;
  events(): Promise<EventTerms[]>;
  weeks(): Promise<ClosedWeek[]>;
  prizes(account: Address): Promise<Prize[]>;
}
