// The one way to change the chain: simulate, sign, wait; and permits, which only sign.
import {
  type Abi,
  type Account,
  type Address,
  type ContractFunctionArgs,
  type ContractFunctionName,
  encodeFunctionData,
  type Hex,
  parseAbi,
  type TransactionReceipt,
} from "viem";
import { chain, tokenAbi } from "./chain.svelte";
import { isDeclined, isNodeAway, isRevert, Overtaken, Refusal } from "./errors";
import { sendOwn, type Tell } from "./pending";
import { landed } from "./landed";
import { senderOf, storeOf } from "./sender";
import { type Permit, permitOf } from "./signatures";
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

/** How far a call is, in words. */
export type Stage = string;

/** What the contract would return to the person, or to anybody, now. Raises what it would refuse with. */
export async function simulate(call: Call): Promise<unknown> {
  const { result } = await chain.client.simulateContract({ ...call, account: wallet.account, blockTag: NEXT });
  return result;
}

/** Sends calls one after another and waits for them; the page knows of it when this returns the last one's transaction. A wallet
 * that offers it confirms several at once. Raises where one is refused or replaced. */
export async function send(calls: Call | readonly Call[], tell: Tell, signal?: AbortSignal): Promise<Hex | undefined> {
  const { account, client } = wallet;
  if (!account || !client) throw new Refusal("Connect a wallet first.");
  if (wallet.wrongNetwork) await wallet.goToOurChain();
  const list = [calls].flat() as readonly Call[];
  if (list.length > 1 && (await canBatch())) {
    tell("confirm in your wallet");
    const { sendBatch } = await import("./batch");
    const { transactionHash } = await sendBatch(client, client.account!, chain.client.chain, list);
    await chain.refresh();
    return transactionHash;
  }
  let last: Hex | undefined;
  for (const call of list) last = await sendOne(call, tell, signal);
  return last;
}

/** Whether the wallet confirms several calls at once. */
async function canBatch(): Promise<boolean> {
  if (wallet.kind !== "browser") return false;
  const { offersBatches } = await import("./batch");
  return offersBatches(wallet.client!, wallet.client!.account!, chain.deployment.chainId);
}

async function sendOne(call: Call, tell: Tell, signal?: AbortSignal): Promise<Hex> {
  const { client } = wallet;
  tell("asking the contract");
  const asked = { ...call, account: client!.account! };
  const estimate = chain.client.estimateContractGas({ ...asked, blockTag: NEXT });
  estimate.catch(() => {}); // where it fails, the contract says why:
  await simulate(call);
  // Others may act before: a fifth more gas than it takes now.
  const gas = ((await estimate) * 12n) / 10n;
  const receipt = wallet.kind === "own" ? await byOwnKey(call, gas, tell, signal) : await byWallet(asked, gas, tell);
  await chain.refresh();
  if (receipt.status === "reverted") {
    await simulate(call);
    throw new Overtaken();
  }
  return receipt.transactionHash;
}

async function byOwnKey(call: Call, gas: bigint, tell: Tell, signal?: AbortSignal): Promise<TransactionReceipt> {
  const data = encodeFunctionData({ abi: call.abi, functionName: call.functionName, args: [...call.args] });
  const { address } = wallet.client!.account!;
  return sendOwn(senderOf(address, signal), storeOf(address), { to: call.address, data, gas }, tell);
}

async function byWallet(asked: Call & { account: Account }, gas: bigint, tell: Tell): Promise<TransactionReceipt> {
  tell("confirm in your wallet");
  const hash = await wallet.client!.writeContract({ ...asked, gas, chain: chain.client.chain });
  tell("waiting for the chain");
  return landed(hash, asked.account.address, tell);
}

/** As ERC-20 has it, without an answer: USDT's approve returns nothing, and what others return is not needed. */
const approveAbi = parseAbi([
  "function approve(address spender, uint256 amount)",
  "function allowance(address owner, address spender) view returns (uint256)",
]);

/** What lets a contract take an amount of a token: no call, one, or two. */
async function approvals(token: Address, spender: Address, amount: bigint): Promise<Call[]> {
  const contract = { address: token, abi: approveAbi };
  const owner = wallet.account!;
  const allowed = await chain.client.readContract({ ...contract, functionName: "allowance", args: [owner, spender] });
  if (allowed >= amount) return [];
  const to = (value: bigint) => call(contract, "approve", [spender, value]);
  if (allowed === 0n) return [to(amount)];
  // USDT refuses to change an allowance that is not 0.
  const direct = await simulate(to(amount)).then(
    () => true,
    (error: unknown) => {
      if (isRevert(error)) return false;
      throw error;
    },
  );
  return direct ? [to(amount)] : [to(0n), to(amount)];
}

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

/** Has the person sign an EIP-2612 permit; undefined where an approval is needed instead: the token knows no permits (EIP-5267
 * tells its domain), the wallet cannot sign one, or its signature is none that a permit takes. Raises where the person declines. */
export async function permit(token: Address, spender: Address, value: bigint): Promise<Permit | undefined> {
  const owner = wallet.account!;
  const contract = { address: token, abi: tokenAbi };
  const facts = await Promise.all([
    chain.client.readContract({ ...contract, functionName: "eip712Domain" }),
    chain.client.readContract({ ...contract, functionName: "nonces", args: [owner] }),
  ]).catch((error: unknown) => {
    if (isNodeAway(error)) throw error;
    return undefined;
  });
  if (!facts) return undefined;
  if (wallet.wrongNetwork) await wallet.goToOurChain();
  const [[, name, version, , verifyingContract], nonce] = facts;
  const deadline = BigInt(chain.now + PERMIT_SECONDS);
  const signature = await wallet
    .client!.signTypedData({
      account: wallet.client!.account!,
      domain: { name, version, chainId: chain.deployment.chainId, verifyingContract },
      types: PERMIT_TYPE,
      primaryType: "Permit",
      message: { owner, spender, value, nonce, deadline },
    })
    .catch((error: unknown) => {
      if (isDeclined(error)) throw error;
      return undefined;
    });
  return signature && permitOf(signature, deadline);
}

/** Tokens into a contract: approved in the same confirmation where the wallet offers that, else with a permit in one transaction,
 * or where there can be none after an approval. */
export async function paid(
  token: Address,
  spender: Address,
  amount: bigint,
  withPermit: (permit: Permit) => Call,
  approved: Call,
): Promise<Call[]> {
  if (await canBatch()) return [...(await approvals(token, spender, amount)), approved];
  const signed = await permit(token, spender, amount);
  if (signed) {
    const one = withPermit(signed);
    try {
      await simulate(one);
      return [one];
    } catch (error) {
      // A wallet that is a contract, or a token whose permits differ: what it refuses is asked for as an approval.
      if (!isRevert(error)) throw error;
      const held = await chain.client.readContract({
        address: token,
        abi: tokenAbi,
        functionName: "balanceOf",
        args: [wallet.account!],
      });
      if (held < amount) throw error;
    }
  }
  return [...(await approvals(token, spender, amount)), approved];
}
