// A wallet for trying: its key is made here and stays in this browser. Chain 31337 only, where money is worth nothing.
import { createWalletClient, type Hex, http } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { chain, DEVNET } from "./chain.svelte";
import { fund } from "./devnet";

const KEY = "tessera.throwaway";

/** The client that signs for it, with gas money, an invitation and dollars to stake. */
export async function throwawayClient() {
  if (chain.deployment.chainId !== DEVNET) throw new Error("Throwaway wallets are for a local devnet alone.");
  const key = (localStorage.getItem(KEY) as Hex | null) ?? generatePrivateKey();
  localStorage.setItem(KEY, key);
  const account = privateKeyToAccount(key);
  await fund(account.address);
  return createWalletClient({ account, chain: chain.client.chain, transport: http(chain.rpcUrl) });
}
