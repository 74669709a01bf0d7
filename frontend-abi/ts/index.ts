// Written by scripts/export_abi.py. Do not edit.

export * from "./betToken.js";
export * from "./escrow.js";
export * from "./lmsrMarkets.js";
export * from "./microSessions.js";
export * from "./oddsBets.js";
export * from "./oddsLens.js";
export * from "./panels.js";
export * from "./playEuro.js";
export * from "./predictionEvents.js";
export * from "./prizePool.js";
export * from "./prorataBets.js";
export * from "./stakingPool.js";
export * from "./timelock.js";
export * from "./errors.js";
export * from "./events.js";
export * from "./addresses.js";
export * from "./signed.js";
