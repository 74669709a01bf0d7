// The one way to change the chain: simulate, sign, wait; and permits, which only sign.
import {
  type Abi,
  type Address,
  type ContractFunctionArgs,
  type ContractFunctionName,
  parseSignature,
  type TransactionReceipt,
} from "viem";
import { chain, tokenAbi } from "./chain.svelte";
import { Refusal } from "./errors";
import { wallet } from "./wallet.svelte";

export type Call = {
  readonly address: Address;
  readonly abi: Abi;
  readonly functionName: string;
  readonly args: readonly unknown[];
};

/** Calls are tried in the block that they would get into: the newest one may be old where nothing is mined. */
const NEXT = "pending";

/** A call, checked against the contract's ABI. */
export function call<
  const A extends Abi,
  F extends ContractFunctionName<A, "nonpayable">,
  const P extends ContractFunctionArgs<A, "nonpayable", F>,
>(contract: { address: Address; abi: A }, functionName: F, args: P): Call {
  return { ...contract, functionName, args: args as readonly unknown[] };
}

export type Stage = "asking the contract" | "confirm in your wallet" | "waiting for the chain";

/** What the contract would return to the person, or to anybody, now. Raises what it would refuse with. */
export async function simulate(call: Call): Promise<unknown> {
  const { result } = await chain.client.simulateContract({ ...call, account: wallet.account, blockTag: NEXT });
  return result;
}

/** Sends a call and waits for it; the page knows of it when this returns. Raises where it is refused or replaced. */
export async function send(call: Call, tell: (stage: Stage) => void): Promise<TransactionReceipt> {
  const { account, client } = wallet;
  if (!account || !client) throw new Refusal("Connect a wallet first.");
  if (wallet.wrongNetwork) await wallet.goToOurChain();
  tell("asking the contract");
  await simulate(call);
  const asked = { ...call, account: client.account! };
  // Others may act before: a fifth more gas than it takes now.
  const gas = ((await chain.client.estimateContractGas({ ...asked, blockTag: NEXT })) * 12n) / 10n;
  tell("confirm in your wallet");
  const hash = await client.writeContract({ ...asked, gas, chain: chain.client.chain });
  tell("waiting for the chain");
  let replaced: "cancelled" | "replaced" | "repriced" | undefined;
  const receipt = await chain.client.waitForTransactionReceipt({
    hash,
    onReplaced: ({ reason }) => (replaced = reason),
  });
  await chain.refresh();
  if (replaced === "cancelled") throw new Refusal("You cancelled this transaction in your wallet. Nothing was done.");
  if (replaced === "replaced") {
    throw new Refusal("Your wallet sent another transaction in its place. Look at your account before you try again.");
  }
  if (receipt.status === "reverted") {
    await simulate(call);
    throw new Refusal("The chain refused it: others were faster. Try again.");
  }
  return receipt;
}

export type Permit = { readonly deadline: bigint; readonly v: number; readonly r: `0x${string}`; readonly s: `0x${string}` };

const PERMIT_SECONDS = 3600;
const PERMIT_TYPE = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
} as const;

/** Has the person sign an EIP-2612 permit; undefined where the token knows none (EIP-5267 tells its domain). */
export async function permit(token: Address, spender: Address, value: bigint): Promise<Permit | undefined> {
  const owner = wallet.account!;
  const contract = { address: token, abi: tokenAbi };
  const found = await Promise.all([
    chain.client.readContract({ ...contract, functionName: "eip712Domain" }),
    chain.client.readContract({ ...contract, functionName: "nonces", args: [owner] }),
  ]).catch(() => undefined);
  if (!found) return undefined;
  if (wallet.wrongNetwork) await wallet.goToOurChain();
  const [[, name, version, , verifyingContract], nonce] = found;
  const deadline = BigInt(chain.now + PERMIT_SECONDS);
  const signature = await wallet.client!.signTypedData({
    account: wallet.client!.account!,
    domain: { name, version, chainId: chain.deployment.chainId, verifyingContract },
    types: PERMIT_TYPE,
    primaryType: "Permit",
    message: { owner, spender, value, nonce, deadline },
  });
  const { r, s, yParity } = parseSignature(signature);
  return { deadline, v: yParity + 27, r, s };
}
