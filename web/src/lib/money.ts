// A person's account in Escrow: balance, consents, membership, what was staked lately.
import type { Address } from "viem";
import { chain, tokenAbi } from "./chain.svelte";
import { history } from "./history";
import { isPutIn } from "./ledger";

/** What an account put into pots since a time: what a person's own limit counts. */
export async function putInSince(account: Address, since: number): Promise<bigint> {
  return (await history().ledger(account))
    .filter(({ kind, timestamp }) => isPutIn(kind) && timestamp > since)
    .reduce((sum, { amount }) => sum + amount, 0n);
}

type Product = { readonly name: string; readonly address: Address; readonly bit: bigint };

/** Escrow's products with their consent bits; there is no end of the list to ask for but a refusal. */
async function readProducts(): Promise<Product[]> {
  const found: Product[] = [];
  for (;;) {
    const args = [BigInt(found.length)] as const;
    const address = await chain.client
      .readContract({ ...chain.at("Escrow"), functionName: "products", args })
      .catch(() => undefined);
    if (address === undefined) return found;
    const name = address === chain.address("LmsrMarkets") ? "Friends' markets" : `Product ${address}`;
    found.push({ name, address, bit: 1n << args[0] });
  }
}

/** Everything the markets need of a person's account: balance, consents, tokens in the wallet, membership. */
export async function readAccount(account: Address) {
  const { client } = chain;
  const escrow = chain.at("Escrow");
  const token = await client.readContract({ ...escrow, functionName: "TOKEN" });
  const isPlay = chain.has("PlayEuro") && token === chain.address("PlayEuro");
  const [balance, consent, held, invited, joined, products] = await Promise.all([
    client.readContract({ ...escrow, functionName: "balance_of", args: [account] }),
    client.readContract({ ...escrow, functionName: "consent_of", args: [account] }),
    client.readContract({ address: token, abi: tokenAbi, functionName: "balanceOf", args: [account] }),
    isPlay && client.readContract({ ...chain.at("PlayEuro"), functionName: "invited", args: [account] }),
    isPlay && client.readContract({ ...chain.at("PlayEuro"), functionName: "joined", args: [account] }),
    readProducts(),
  ]);
  const marketsBit = products.find(({ address }) => address === chain.address("LmsrMarkets"))?.bit ?? 0n;
  const mayBet = (consent & marketsBit) !== 0n;
  return { token, isPlay, balance, consent, held, invited, joined, products, marketsBit, mayBet };
}
