// How a page uses this package with viem. It is type-checked, not run.
import { type Address, BaseError, ContractFunctionRevertedError, createPublicClient, getContract, http } from "viem";
import { addresses, type Devnet, errors, events, lmsrMarketsAbi, type Reason } from "./ts/index.js";

const YES = 1n;

export async function quoteYes(devnet: Devnet, marketId: bigint, account: Address) {
  const client = createPublicClient({ transport: http(devnet.rpcUrl) });
  const address: Address | undefined = (addresses[devnet.chainId] ?? devnet.addresses).LmsrMarkets;
  if (address === undefined) throw new Error("no markets on this chain");

  const markets = getContract({ address, abi: lmsrMarketsAbi, client });
  const [shares, priceAfter]: readonly [bigint, bigint] = await markets.read.quote([marketId, YES]);
  await client.simulateContract({
    account,
    address,
    abi: lmsrMarketsAbi,
    functionName: "bet",
    args: [marketId, YES, (shares * 99n) / 100n],
  });
  const bets = await client.getContractEvents({
    address,
    abi: lmsrMarketsAbi,
    eventName: "BetPlaced",
    args: { market_id: marketId },
    fromBlock: BigInt(devnet.firstBlock),
  });
  const stakes: (bigint | undefined)[] = bets.map((bet) => bet.args.stake);
  return { shares, priceAfter, stakes };
}

export function explain(error: unknown): string {
  if (!(error instanceof BaseError)) return String(error);
  const reverted = error.walk((cause) => cause instanceof ContractFunctionRevertedError);
  const reason = reverted instanceof ContractFunctionRevertedError ? (reverted.reason ?? "") : error.shortMessage;
  return reason in errors ? errors[reason as Reason].advice || reason : reason;
}

// A misspelt reason does not compile, nor does a misspelt event.
// @ts-expect-error
export const wrongReason: Reason = "lmsr: price has moved";
// @ts-expect-error
export const wrongEvent: (typeof events)[number]["name"] = "BetPlace";
