// A wallet for trying: its key is made here and stays in this browser. Chain 31337 only, where money is worth nothing.
import { createWalletClient, type Hex, http, parseAbi, parseEther } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { chain, DEVNET, tokenAbi } from "./chain.svelte";
import { readAssets } from "./tickets";

const KEY = "tessera.throwaway";
const GAS_MONEY = parseEther("1");
const PLAY_DOLLARS = 10_000n;
const mintAbi = parseAbi(["function mint(address owner, uint256 amount)"]);

/** The client that signs for it, with gas money, an invitation and dollars to stake. */
export async function throwawayClient() {
  if (chain.deployment.chainId !== DEVNET) throw new Error("Throwaway wallets are for a local devnet alone.");
  const key = (localStorage.getItem(KEY) as Hex | null) ?? generatePrivateKey();
  localStorage.setItem(KEY, key);
  const account = privateKeyToAccount(key);
  const transport = http(chain.deployment.rpcUrl);
  const client = createWalletClient({ account, chain: chain.client.chain, transport });
  await fund(client.account.address);
  return client;
}

/** The devnet's node signs for its own accounts: the club's owner pays and invites. */
async function fund(account: `0x${string}`) {
  const { client } = chain;
  if ((await client.getBalance({ address: account })) > GAS_MONEY / 10n) return;
  const owner = await client.readContract({ ...chain.at("PlayEuro"), functionName: "owner" });
  const faucet = createWalletClient({ account: owner, chain: client.chain, transport: http(chain.deployment.rpcUrl) });
  const hashes = [
    await faucet.sendTransaction({ to: account, value: GAS_MONEY }),
    await faucet.writeContract({ ...chain.at("PlayEuro"), functionName: "invite", args: [[account]] }),
  ];
  for (const asset of chain.has("StakingPool") ? await readAssets() : []) {
    const decimals = await client.readContract({ address: asset, abi: tokenAbi, functionName: "decimals" });
    const amount = PLAY_DOLLARS * 10n ** BigInt(decimals);
    hashes.push(await faucet.writeContract({ address: asset, abi: mintAbi, functionName: "mint", args: [account, amount] }));
  }
  for (const hash of hashes) await client.waitForTransactionReceipt({ hash });
}
