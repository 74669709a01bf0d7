// The one feed of the page: what the contracts logged up to the newest block, and whether something has changed since.
import { type Address, type Hex, HttpRequestError, numberToHex, pad, TimeoutError } from "viem";
import { chain } from "./chain.svelte";
import { Feed, type LogNode } from "./feed";
import { Kept } from "./kept";
import { type RawLog, Rows } from "./rows";
import { shelfOf } from "./shelf";

/** Nodes that are asked for too many blocks say so as an error of their own, or as HTTP 4xx. */
function refusesRange(error: unknown): boolean {
  if (error instanceof TimeoutError) return false;
  return !(error instanceof HttpRequestError) || (error.status !== undefined && error.status < 500);
}

function start(): Feed {
  const { chainId, firstBlock, indexUrl } = chain.deployment;
  const contracts = chain.names().map((name) => chain.at(name));
  const address = contracts.map((contract) => contract.address);
  const node: LogNode = {
    hashOf: async (block) => (await chain.client.getBlock({ blockNumber: BigInt(block) })).hash,
    logs: (from, to) =>
      chain.client.request({
        method: "eth_getLogs",
        params: [{ address, fromBlock: numberToHex(from), toBlock: numberToHex(to) }],
      }) as Promise<readonly unknown[]> as Promise<readonly RawLog[]>,
    refusesRange,
  };
  // An index tells what was before: then only what comes now is of interest.
  const first = indexUrl ? Number(chain.head.number) + 1 : firstBlock;
  const shelf = indexUrl ? undefined : shelfOf([chainId, firstBlock, ...address.toSorted()].join("."));
  const feed = new Feed(node, () => new Rows(contracts), first, shelf);
  chain.prepare = async (head) => {
    if (feed.isNear(head)) await feed.upTo(head).catch(() => {}); // whoever needs it asks again, and hears why
  };
  return feed;
}

let feed: Feed | undefined;
const kept = new Kept();

/** All events up to the newest block. Raises where the node fails. */
export async function happened(): Promise<Rows> {
  if (chain.head.hash === "") throw chain.down ?? new Error("The node has not answered yet.");
  feed ??= start();
  await feed.upTo(chain.head);
  return feed.rows;
}

/** How much of the history has been read, 0 to 1. */
export const progress = () => feed?.progress ?? 0;

export const topic = (value: bigint | string): Hex =>
  pad(typeof value === "bigint" ? numberToHex(value) : (value.toLowerCase() as Hex));

/** Events of a contract: all of them, or of one name, or with one number or address as their first indexed value. */
export type Events = { readonly by: Address; readonly event?: string; readonly first?: bigint | string };

/** What `read` answers, asked for anew only when there was such an event since. */
export async function whileSame<T>(key: string, on: readonly Events[], read: () => Promise<T>): Promise<T> {
  await happened().catch(() => {});
  // A node that tells no logs cannot say what has changed: then it is every block.
  if (!feed?.has(chain.head)) return kept.get(key, chain.head.hash, read);
  const versions = on.map(({ by, event, first }) =>
    feed!.version(by, { event, first: first === undefined ? undefined : topic(first) }),
  );
  return kept.get(key, versions.join(), read);
}

/** What `read` answers, asked for anew only when `version` is another. */
export const sameAs = <T>(key: string, version: string, read: () => Promise<T>): Promise<T> => kept.get(key, version, read);

/** What never changes on a chain, asked for once. */
export const forGood = <T>(key: string, read: () => Promise<T>): Promise<T> => kept.get(key, "", read);
