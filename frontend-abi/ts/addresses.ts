// Written by scripts/export_abi.py. Do not edit.

export type ContractName = "BetToken" | "Escrow" | "LmsrMarkets" | "MicroSessions" | "OddsBets" | "OddsLens" | "Panels" | "PlayEuro" | "PredictionEvents" | "PrizePool" | "ProrataBets" | "StakingPool" | "Timelock";

export type Addresses = { readonly [name in ContractName]?: `0x${string}` };

/** Public deployments by chain id. */
export const addresses: { readonly [chainId: number]: Addresses } = {

};

/** What a local devnet writes to devnet.json, for a page to fetch at run time. */
export type Devnet = {
  readonly chainId: number;
  readonly rpcUrl: string;
  readonly firstBlock: number;
  readonly addresses: Addresses;
};
