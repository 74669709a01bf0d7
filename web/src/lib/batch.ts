// Several calls as one confirmation, in wallets that offer it (EIP-5792).
import type { Account, Chain, TransactionReceipt, WalletClient } from "viem";
import { getCapabilities, sendCalls, waitForCallsStatus } from "viem/actions";
import { Refusal } from "./errors";
import type { Call } from "./send";

/** Whether a wallet takes several calls at once, all of them or none. */
export async function offersBatches(client: WalletClient, account: Account, chainId: number): Promise<boolean> {
  try {
    const { atomic } = await getCapabilities(client, { account, chainId });
    return atomic?.status === "supported" || atomic?.status === "ready";
  } catch {
    return false;
  }
}

/** Has the wallet do calls in a row, all of them or none; the last of their receipts. Raises Refusal where they are refused. */
export async function sendBatch(
  client: WalletClient,
  account: Account,
  chain: Chain,
  calls: readonly Call[],
): Promise<TransactionReceipt> {
  const { id } = await sendCalls(client, {
    account,
    chain,
    calls: calls.map(({ address, abi, functionName, args }) => ({ to: address, abi, functionName, args })) as never,
    forceAtomic: true,
  });
  // It may be done whatever the wallet answers now: of no error after this is it said that nothing was sent.
  const { status, receipts } = await waitForCallsStatus(client, { id, timeout: 0 }).catch(() => {
    throw new Refusal("Your wallet has taken it and does not say what became of it. Look there before you try again.");
  });
  if (status !== "success" || !receipts?.length) throw new Refusal("Your wallet did not do it. Look there before you try again.");
  return receipts.at(-1) as unknown as TransactionReceipt;
}
