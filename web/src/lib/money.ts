// A person's account in Escrow: balance, consents, membership, what was staked lately.
import type { Address } from "viem";
import { chain, type Name, tokenAbi } from "./chain.svelte";
import { isRevert } from "./errors";
import { forGood } from "./follow";
import { history } from "./history";
import { isPutIn } from "./ledger";

/** What an account put into pots since a time: what a person's own limit counts. */
export async function putInSince(account: Address, since: number): Promise<bigint> {
  return (await history().ledger(account))
    .filter(({ kind, timestamp }) => isPutIn(kind) && timestamp > since)
    .reduce((sum, { amount }) => sum + amount, 0n);
}

const AT_ONCE = 8n;

/** A list of a contract from its first number on. There is no end to ask for but a refusal, and nothing else is one: whoever
 * takes a node's failure for the end knows too few. Raises where the node fails. */
export async function readList<T>(at: (number: bigint) => Promise<T>): Promise<T[]> {
  const list: T[] = [];
  for (let start = 0n; ; start += AT_ONCE) {
    const numbers = Array.from({ length: Number(AT_ONCE) }, (_, number) => start + BigInt(number));
    const items = await Promise.all(
      numbers.map((number) =>
        at(number).catch((error: unknown) => {
          if (isRevert(error)) return undefined;
          throw error;
        }),
      ),
    );
    const end = items.indexOf(undefined);
    list.push(...(items.slice(0, end === -1 ? undefined : end) as T[]));
    if (end !== -1) return list;
  }
}

type Product = { readonly name: string; readonly address: Address; readonly bit: bigint };

const PRODUCTS: readonly (readonly [Name, string])[] = [
  ["LmsrMarkets", "Friends' markets"],
  ["ProrataBets", "Hosted bets, pools"],
  ["OddsBets", "Hosted bets at fixed odds"],
  ["MicroSessions", "Live sessions"],
];

const called = (address: Address) =>
  PRODUCTS.find(([name]) => chain.has(name) && chain.address(name) === address)?.[1] ?? `Product ${address}`;

/** Escrow's products with their consent bits. */
async function readProducts(): Promise<Product[]> {
  const escrow = chain.at("Escrow");
  const addresses = await readList((number) =>
    chain.client.readContract({ ...escrow, functionName: "products", args: [number] }),
  );
  return addresses.map((address, number) => ({
    name: called(address),
    address,
    bit: 1n << BigInt(number),
  }));
}

/** Everything markets and hosted bets need of a person's account: balance, consents, tokens in the wallet, membership. */
export async function readAccount(account: Address) {
  const { client } = chain;
  const escrow = chain.at("Escrow");
  const token = await forGood("token", () => client.readContract({ ...escrow, functionName: "TOKEN" }));
  const isPlay = chain.has("PlayEuro") && token === chain.address("PlayEuro");
  const [balance, consent, held, invited, joined, products] = await Promise.all([
    client.readContract({ ...escrow, functionName: "balance_of", args: [account] }),
    client.readContract({ ...escrow, functionName: "consent_of", args: [account] }),
    client.readContract({ address: token, abi: tokenAbi, functionName: "balanceOf", args: [account] }),
    isPlay && client.readContract({ ...chain.at("PlayEuro"), functionName: "invited", args: [account] }),
    isPlay && client.readContract({ ...chain.at("PlayEuro"), functionName: "joined", args: [account] }),
    readProducts(),
  ]);
  const bits = (...names: Name[]) =>
    products
      .filter(({ address }) => names.some((name) => chain.has(name) && chain.address(name) === address))
      .reduce((sum, { bit }) => sum | bit, 0n);
  const [marketsBit, hostedBits, liveBit] = [bits("LmsrMarkets"), bits("ProrataBets", "OddsBets"), bits("MicroSessions")];
  const mayBet = (consent & marketsBit) !== 0n;
  const mayBetHosted = hostedBits !== 0n && (consent & hostedBits) === hostedBits;
  const mayPlayLive = (consent & liveBit) !== 0n;
  return {
    of: account,
    token,
    isPlay,
    balance,
    consent,
    held,
    invited,
    joined,
    products,
    marketsBit,
    mayBet,
    hostedBits,
    mayBetHosted,
    liveBit,
    mayPlayLive,
  };
}
export type Account = Awaited<ReturnType<typeof readAccount>>;
