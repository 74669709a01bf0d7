// The contract's flag of outcomes.

export const OUTCOMES = { YES: 1n, NO: 2n, INVALID: 4n } as const;
export type OutcomeName = keyof typeof OUTCOMES;
export type Side = "YES" | "NO";
