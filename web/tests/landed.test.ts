// Waiting for what a wallet has sent, on a clock of its own.
import { afterEach, expect, test, vi } from "vitest";

const HASH = `0x${"11".repeat(32)}` as const;
const ME = `0x${"22".repeat(20)}` as const;
const RECEIPT = { status: "success", transactionHash: HASH };
const waited: (number | undefined)[] = [];
let shown: unknown = null; // the transaction, by the node
let comesAt = Infinity;

vi.mock("../src/lib/chain.svelte", () => ({
  chain: {
    deployment: {},
    client: {
      request: async () => shown,
      waitForTransactionReceipt: async ({ timeout }: { timeout?: number }) => {
        waited.push(timeout);
        vi.setSystemTime(Date.now() + 15_000);
        if (Date.now() < comesAt) throw new Error("timed out");
        return RECEIPT;
      },
    },
    change: async () => {},
  },
}));
const { landed } = await import("../src/lib/landed");

afterEach(() => void vi.useRealTimers());

function begin() {
  vi.useFakeTimers({ toFake: ["Date"], now: 0 });
  waited.length = 0;
}

test("what no node has ever seen is not waited for without an end", async () => {
  begin();
  await expect(landed(HASH, ME, () => {})).rejects.toThrow("The chain does not show what your wallet has sent.");
  expect(Date.now()).toBe(615_000);
  expect(new Set(waited)).toEqual(new Set([15_000]));
});

test("what the node knows is waited for however long it takes", async () => {
  begin();
  [shown, comesAt] = [{ hash: HASH, nonce: "0x1", blockNumber: null, type: "0x2" }, 3_600_000];
  expect(await landed(HASH, ME, () => {})).toBe(RECEIPT);
  expect(new Set(waited)).toEqual(new Set([0]));
});
