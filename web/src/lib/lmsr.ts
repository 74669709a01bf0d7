// The scoring rule in floating point, for previews alone: what is really paid is asked of the contract.

export const SEED = 10;

/** Liquidity b in EUR, and how far apart the sides start: shares of NO less shares of YES. */
export function opening(p0: number): { b: number; gap: number } {
  const b = SEED / -Math.log(Math.min(p0, 1 - p0));
  return { b, gap: b * Math.log((1 - p0) / p0) };
}

/** Shares that `stake` EUR buy, and the price of the side afterwards; `gap` is the other side less this side. */
export function buy(b: number, gap: number, stake: number): { shares: number; price: number } {
  const grown = Math.exp(stake / b);
  const shares = b * Math.log(grown + (grown - 1) * Math.exp(gap / b));
  return { shares, price: 1 / (1 + Math.exp((gap - shares) / b)) };
}
