// The kinds of movements in Escrow's ledger, and the one definition of profit and loss.
import type { Entry, Kind } from "./source";

/** What a movement is called on the page. */
export const WORDS: Record<Kind, string> = {
  DEPOSIT: "deposit",
  WITHDRAWAL: "withdrawal",
  DEPOSIT_SEED: "seed",
  BET_DEBIT: "bet",
  ACTIVATION: "activation",
  FUNDING: "funding",
  PAYOUT: "payout",
  REFUND: "refund",
  COMMISSION: "commission",
  RESIDUE: "what winners left",
};

export const isPutIn = (kind: Kind) =>
  kind === "DEPOSIT_SEED" || kind === "BET_DEBIT" || kind === "ACTIVATION" || kind === "FUNDING";
const isOutside = (kind: Kind) => kind === "DEPOSIT" || kind === "WITHDRAWAL";
export const leavesBalance = (kind: Kind) => kind === "WITHDRAWAL" || isPutIn(kind);

/** Profit and loss by the one definition: what came back from pots less what went into them. */
export function result(entries: readonly Entry[]): bigint {
  return entries
    .filter(({ kind }) => !isOutside(kind))
    .reduce((sum, { kind, amount }) => sum + (isPutIn(kind) ? -amount : amount), 0n);
}
