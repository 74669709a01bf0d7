// What a browser keeps belongs to one chain.
import { expect, test, vi } from "vitest";
import { chain } from "../src/lib/chain.svelte";

/** A node whose chain of so many blocks began with that one. */
function node(first: string, length: bigint) {
  return vi.fn(async ({ blockNumber }: { blockNumber?: bigint } = {}) => {
    const number = blockNumber ?? length;
    return { number, timestamp: 1_800_000_000n + number, hash: `${first}${number}`, parentHash: `${first}${number - 1n}` };
  });
}

async function seen(chainId: number, getBlock: ReturnType<typeof node>) {
  Object.assign(chain, { deployment: { chainId }, client: { getBlock } });
  await chain.refresh();
  return chain.identity;
}

test("a devnet that was started anew is another chain, for the page that is open, too", async () => {
  const old = node("0xa", 90n);
  expect(await seen(31337, old)).toBe("31337.0xa0");
  expect(await seen(31337, node("0xa", 91n))).toBe("31337.0xa0");
  expect(await seen(31337, node("0xb", 7n))).toBe("31337.0xb0");
});

test("any other chain has its number, and nothing more is read of it", async () => {
  const getBlock = node("0xc", 5n);
  vi.resetModules();
  const { chain: fresh } = await import("../src/lib/chain.svelte");
  Object.assign(fresh, { deployment: { chainId: 10 }, client: { getBlock } });
  await fresh.refresh();
  expect(fresh.identity).toBe("10");
  expect(getBlock).toHaveBeenCalledTimes(1);
});
