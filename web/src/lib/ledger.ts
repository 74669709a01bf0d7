// The kinds of movements in Escrow's ledger, and the one definition of profit and loss.
import type { Entry, Kind } from "./source";

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
