import { lmsrMarketsAbi } from "@tessera/abi";
import { encodeAbiParameters, type Hex, pad, toEventSelector } from "viem";
import { IDBFactory } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { beforeEach, expect, test } from "vitest";
import { Feed, type LogNode } from "../src/lib/feed";
import { type RawLog, Rows } from "../src/lib/rows";
import { type Shelf, shelfOf } from "../src/lib/shelf";

const MARKETS: Hex = `0x${"cd".repeat(20)}`;
const closed = lmsrMarketsAbi.find((item) => item.type === "event" && item.name === "MarketClosed")!;

/** A chain whose blocks are a letter each, for the fork that they are of, and that logs something in every tenth block. */
class Chain implements LogNode {
  asked: [number, number][] = [];
  hashes = 0;
  widest = Infinity;
  down = false;
  constructor(public forks: string) {}

  hash(block: number): Hex {
    const before = this.forks.slice(0, block + 1);
    return pad(
      `0x${[...before].reduce((sum, letter) => (sum * 31n + BigInt(letter.charCodeAt(0))) % 2n ** 200n, 7n).toString(16)}`,
    );
  }
  head() {
    const number = this.forks.length - 1;
    return { number: BigInt(number), hash: this.hash(number), parentHash: this.hash(number - 1) };
  }
  async hashOf(block: number): Promise<Hex> {
    this.hashes += 1;
    return this.hash(block);
  }
  async logs(from: number, to: number): Promise<RawLog[]> {
    if (this.down) throw new Error("away");
    this.asked.push([from, to]);
    if (to - from + 1 > this.widest) throw new Error("query returned more than 10 blocks");
    const blocks = Array.from({ length: to - from + 1 }, (_, index) => from + index).filter((block) => block % 10 === 0);
    return blocks.map((block) => ({
      address: MARKETS,
      topics: [toEventSelector(closed as never), pad(`0x${block.toString(16)}`)],
      data: encodeAbiParameters([{ type: "uint256" }], [BigInt(this.forks.charCodeAt(block))]),
      blockNumber: `0x${block.toString(16)}`,
      transactionHash: this.hash(block),
    }));
  }
  refusesRange = (error: unknown) => (error as Error).message.includes("more than");
}

const feedOf = (chain: Chain, shelf?: Shelf, first = 0) =>
  new Feed(chain, () => new Rows([{ address: MARKETS, abi: lmsrMarketsAbi }]), first, shelf);
const told = (feed: Feed) =>
  feed.rows.of(MARKETS, "MarketClosed").map((row) => [Number(row.args.market_id), Number(row.args.timestamp)]);
/** What a feed that has kept nothing reads. */
async function afresh(chain: Chain) {
  const feed = feedOf(new Chain(chain.forks));
  await feed.upTo(chain.head());
  return told(feed);
}
const saved = () => new Promise((resolve) => setTimeout(resolve, 20));

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

test("a block more is one request more, and none for its predecessor", async () => {
  const chain = new Chain("a".repeat(5001));
  const feed = feedOf(chain);
  await feed.upTo(chain.head());
  expect(chain.asked).toEqual([
    [0, 1999],
    [2000, 3999],
    [4000, 5000],
  ]);
  chain.forks += "a";
  await feed.upTo(chain.head());
  await feed.upTo(chain.head());
  expect(chain.asked.slice(3)).toEqual([[5001, 5001]]);
  expect(chain.hashes).toBe(0);
  expect(told(feed)).toEqual(await afresh(chain));
});

test("who asks at the same time waits for the same requests", async () => {
  const chain = new Chain("a".repeat(100));
  const feed = feedOf(chain);
  await Promise.all([feed.upTo(chain.head()), feed.upTo(chain.head()), feed.upTo(chain.head())]);
  expect(chain.asked).toEqual([[0, 99]]);
});

test("after a reorg the rows are the new chain's", async () => {
  const chain = new Chain("a".repeat(100));
  const feed = feedOf(chain);
  await feed.upTo(chain.head());
  const before = feed.version(MARKETS, {});
  chain.forks = `${"a".repeat(70)}${"b".repeat(31)}`;
  await feed.upTo(chain.head());
  expect(told(feed)).toEqual(await afresh(chain));
  expect(told(feed)).toContainEqual([80, 98]);
  expect(feed.version(MARKETS, {})).not.toBe(before); // though there are as many
});

test("a node that takes ten blocks a request is read all the same", async () => {
  const chain = new Chain("a".repeat(101));
  chain.widest = 10;
  const feed = feedOf(chain);
  await feed.upTo(chain.head());
  expect(told(feed)).toEqual(await afresh(chain));
});

test("a node that is away fails, and is asked again where it left off", async () => {
  const chain = new Chain("a".repeat(100));
  const feed = feedOf(chain);
  chain.down = true;
  await expect(feed.upTo(chain.head())).rejects.toThrow("away");
  expect(feed.has(chain.head())).toBe(false);
  chain.down = false;
  await feed.upTo(chain.head());
  expect(told(feed)).toEqual(await afresh(chain));
});

test("a second visit reads what is new alone", async () => {
  const chain = new Chain("a".repeat(100));
  await feedOf(chain, shelfOf("x")).upTo(chain.head());
  await saved();
  chain.asked = [];
  chain.forks += "aaaaa";
  const feed = feedOf(chain, shelfOf("x"));
  await feed.upTo(chain.head());
  expect(chain.asked).toEqual([[100, 104]]);
  expect(chain.hashes).toBe(1);
  expect(told(feed)).toEqual(await afresh(chain));
});

test.each([
  ["another chain from the first block on", "b".repeat(150)],
  ["a shorter chain", "a".repeat(40)],
  ["a reorg while nobody looked", `${"a".repeat(95)}${"b".repeat(60)}`],
])("what was kept is dropped where it is not the chain's any more: %s", async (_, forks) => {
  const chain = new Chain("a".repeat(100));
  await feedOf(chain, shelfOf("x")).upTo(chain.head());
  await saved();
  chain.forks = forks;
  for (let visit = 0; visit < 2; visit += 1) {
    const feed = feedOf(chain, shelfOf("x"));
    await feed.upTo(chain.head());
    expect(told(feed)).toEqual(await afresh(chain));
    await saved();
  }
});

test("a browser that keeps nothing still reads everything", async () => {
  globalThis.indexedDB = {
    open: () => {
      throw new Error("not in a private window");
    },
  } as never;
  const chain = new Chain("a".repeat(100));
  const feed = feedOf(chain, shelfOf("x"));
  await feed.upTo(chain.head());
  expect(told(feed)).toEqual(await afresh(chain));
});
