// Transactions of the page's own accounts, on a chain of a few lines: they survive reloads, rising fees and a node that is away.
import {
  type Hex,
  HttpRequestError,
  keccak256,
  parseTransaction,
  type TransactionReceipt,
  type TransactionSerialized,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { expect, test, vi } from "vitest";
import { Refusal } from "../src/lib/errors";
import { affordable, type Pending, raised, type Sender, sendOwn, settle, type Store } from "../src/lib/pending";

const GWEI = 10n ** 9n;
const account = privateKeyToAccount(`0x${"11".repeat(32)}`);
const call = { to: `0x${"22".repeat(20)}`, data: "0x1234", gas: 60_000n } as const;
const quiet = () => {};

/** A chain of one account, whose base fee and funds a test sets. Time passes when somebody waits. */
class Chain implements Sender {
  chainId = 31337;
  account = account;
  base = GWEI;
  funds = 10n ** 18n;
  mined = new Map<Hex, TransactionReceipt>();
  pool = new Map<number, Hex>();
  sent: Hex[] = [];
  nonce = 0;
  time = 0;
  away = 0;
  isUnlocked = true;
  stopped = false;
  refuses: string | undefined;
  each: (() => void) | undefined;
  topUp: (() => Promise<string>) | undefined;
  late = 0; // looks for a receipt that a machine behind others answers with none
  opened = 0;
  #last: Promise<unknown> = Promise.resolve();

  open = async () => void (this.opened += 1);
  alone = <T>(act: () => Promise<T>): Promise<T> => {
    const turn = this.#last.then(act, act);
    this.#last = turn.catch(() => {});
    return turn;
  };
  isOpen = () => this.isUnlocked;
  isStopped = () => this.stopped;
  now = () => this.time;
  count = async (block: "latest" | "pending") => (block === "latest" ? this.nonce : this.nonce + this.pool.size);
  prices = async () => ({
    maxFeePerGas: 2n * this.base + GWEI,
    maxPriorityFeePerGas: GWEI,
    least: this.base + this.base / 8n + 1n,
  });
  balance = async () => this.funds;
  receipt = async (hash: Hex) => (this.mined.has(hash) && this.late-- > 0 ? undefined : this.mined.get(hash));

  async broadcast(raw: Hex) {
    if (this.away > 0) {
      this.away -= 1;
      throw new HttpRequestError({ url: "http://node", body: {} });
    }
    this.sent.push(raw);
    const { nonce = 0, maxFeePerGas = 0n } = parseTransaction(raw as TransactionSerialized<"eip1559">);
    if (this.refuses) throw new Error(this.refuses);
    if (nonce < this.nonce) throw new Error("nonce too low");
    const before = this.pool.get(nonce);
    if (before === raw) throw new Error("already known");
    const old = before && parseTransaction(before as TransactionSerialized<"eip1559">).maxFeePerGas!;
    if (old !== undefined && maxFeePerGas < (old * 11n) / 10n) throw new Error("replacement transaction underpriced");
    this.pool.set(nonce, raw);
  }

  wait = async () => {
    this.time += 2000;
    this.each?.();
    if (this.time > 1_000_000) throw new Error("waits for ever");
    const raw = this.pool.get(this.nonce);
    if (!raw || parseTransaction(raw as TransactionSerialized<"eip1559">).maxFeePerGas! < this.base) return;
    this.pool.delete(this.nonce);
    this.nonce += 1;
    this.mined.set(keccak256(raw), { status: "success", transactionHash: keccak256(raw) } as TransactionReceipt);
  };
}

function shelf(first?: Pending): Store & { all: (Pending | undefined)[] } {
  let kept = first;
  const all: (Pending | undefined)[] = [];
  return { all, load: () => kept, save: (pending) => all.push((kept = pending)) };
}

test("a transaction is kept before it is sent, and forgotten when it is mined", async () => {
  const [chain, store] = [new Chain(), shelf()];
  const broadcast = chain.broadcast.bind(chain);
  chain.broadcast = async (raw) => {
    expect(store.load()?.raw).toBe(raw);
    await broadcast(raw);
  };
  const receipt = await sendOwn(chain, store, call, quiet);
  expect(receipt.status).toBe("success");
  expect(chain.sent).toHaveLength(1);
  expect(store.load()).toBeUndefined();
  const { to, data, gas, nonce, chainId } = parseTransaction(chain.sent[0] as TransactionSerialized<"eip1559">);
  expect({ to, data, gas, nonce: nonce ?? 0, chainId }).toEqual({ ...call, nonce: 0, chainId: 31337 });
});

test("a stuck one is offered more, at the same nonce, and is mined once", async () => {
  const [chain, store, said] = [new Chain(), shelf(), [] as string[]];
  chain.each = () => {
    if (chain.time === 2000) chain.base = 9n * GWEI; // above what was offered
  };
  await sendOwn(chain, store, call, (stage) => said.push(stage));
  const fees = chain.sent.map((raw) => parseTransaction(raw as TransactionSerialized<"eip1559">));
  expect(fees.length).toBeGreaterThan(1);
  expect(new Set(fees.map(({ nonce }) => nonce)).size).toBe(1);
  expect(fees.at(-1)!.maxFeePerGas).toBeGreaterThanOrEqual(19n * GWEI);
  expect(chain.nonce).toBe(1);
  expect(said).toContain("fees have risen: offering more");
});

test("after a reload what was left behind is seen to its end, and its nonce is not used twice", async () => {
  const [chain, store] = [new Chain(), shelf()];
  chain.base = 50n * GWEI;
  // The first visit ends while its transaction waits.
  chain.wait = async () => {
    throw new Error("the page is closed");
  };
  await expect(sendOwn(chain, store, call, quiet)).rejects.toThrow("the page is closed");
  const kept = store.load()!;
  expect(kept.hashes).toHaveLength(1);
  const next = new Chain();
  next.pool = new Map([[0, kept.raw]]);
  const receipt = await settle(next, store, quiet);
  expect(receipt?.transactionHash).toBe(kept.hashes[0]);
  expect(store.load()).toBeUndefined();
  await sendOwn(next, store, call, quiet);
  expect(next.nonce).toBe(2);
});

test("what a node forgot is sent again", async () => {
  const [chain, store] = [new Chain(), shelf()];
  const raw = await account.signTransaction({
    type: "eip1559",
    chainId: 31337,
    nonce: 0,
    ...call,
    maxFeePerGas: 3n * GWEI,
    maxPriorityFeePerGas: GWEI,
  });
  store.save({ ...call, nonce: 0, maxFeePerGas: 3n * GWEI, maxPriorityFeePerGas: GWEI, raw, hashes: [keccak256(raw)], since: 0 });
  expect((await settle(chain, store, quiet))?.status).toBe("success");
  expect(chain.sent).toEqual([raw]);
});

test("a node that is away is told of it when it is back", async () => {
  const [chain, store, said] = [new Chain(), shelf(), [] as string[]];
  chain.away = 3;
  expect((await sendOwn(chain, store, call, (stage) => said.push(stage))).status).toBe("success");
  expect(said).toContain("the node does not answer: it is sent when it does");
  expect(chain.sent).toHaveLength(1);
});

test("what the node refuses at once was not sent, and is not kept", async () => {
  const [chain, store] = [new Chain(), shelf()];
  chain.refuses = "exceeds block gas limit";
  await expect(sendOwn(chain, store, call, quiet)).rejects.toThrow("exceeds block gas limit");
  expect(store.load()).toBeUndefined();
});

test("another transaction of the account in its place is said", async () => {
  const [chain, store] = [new Chain(), shelf()];
  chain.base = 50n * GWEI;
  chain.each = () => {
    chain.pool.clear();
    chain.nonce = 1; // another phone with the same account was faster
  };
  await expect(sendOwn(chain, store, call, quiet)).rejects.toThrow("Another transaction of yours came first");
  expect(store.load()).toBeUndefined();
});

test("who has too little waits for the club to send gas, and hears why", async () => {
  const [chain, store, said] = [new Chain(), shelf(), [] as string[]];
  chain.funds = 1n;
  let asked = 0;
  chain.topUp = async () => {
    asked += 1;
    if (asked === 2) chain.funds = 10n ** 18n;
    return "fees are too dear now";
  };
  await sendOwn(chain, store, call, (stage, canStop) => said.push(`${stage} ${canStop}`));
  expect(asked).toBe(2);
  expect(said).toContain("fees are too dear now true");
});

test("who became poor while it waited asks for gas now and then, and it is sent when there is some", async () => {
  const [chain, store] = [new Chain(), shelf()];
  const broadcast = chain.broadcast.bind(chain);
  chain.broadcast = async (raw) => {
    if (chain.time < 60_000) throw new Error("insufficient funds for gas * price + value");
    await broadcast(raw);
  };
  chain.each = () => (chain.funds = chain.time < 60_000 ? 1n : 10n ** 18n);
  let asked = 0;
  chain.topUp = async () => `asked ${++asked}`;
  expect((await sendOwn(chain, store, call, quiet)).status).toBe("success");
  expect(asked).toBeGreaterThanOrEqual(2);
  expect(asked).toBeLessThanOrEqual(4);
  expect(chain.nonce).toBe(1);
});

test("who waits for gas can call it off, and without a club hears at once", async () => {
  const [chain, store] = [new Chain(), shelf()];
  chain.funds = 1n;
  await expect(sendOwn(chain, store, call, quiet)).rejects.toThrow("Not enough ETH for the network fee. Nothing was sent.");
  chain.topUp = async () => ((chain.stopped = true), "coming");
  await expect(sendOwn(chain, store, call, quiet)).rejects.toThrow("You called it off. Nothing was sent.");
  expect(chain.sent).toEqual([]);
});

test("no more is offered than there is, and no less than a block takes", () => {
  const prices = { maxFeePerGas: 20n, maxPriorityFeePerGas: 15n, least: 11n };
  expect(affordable(prices, 10n, 200n)).toEqual({ maxFeePerGas: 20n, maxPriorityFeePerGas: 15n });
  expect(affordable(prices, 10n, 129n)).toEqual({ maxFeePerGas: 12n, maxPriorityFeePerGas: 12n });
  expect(affordable(prices, 10n, 110n)).toEqual({ maxFeePerGas: 11n, maxPriorityFeePerGas: 11n });
  expect(affordable(prices, 10n, 109n)).toBeUndefined();
  expect(raised(8n)).toBe(10n);
  expect(raised(0n)).toBe(1n);
});

test("a locked account sends again what it signed, and signs nothing more", async () => {
  const [chain, store] = [new Chain(), shelf()];
  chain.isUnlocked = false;
  chain.each = () => {
    if (chain.time === 2000) chain.base = 9n * GWEI;
    if (chain.time === 60_000) chain.base = GWEI;
  };
  await sendOwn(chain, store, call, quiet);
  expect(new Set(chain.sent).size).toBe(1);
});

test("a receipt that comes some blocks after the number is used up is waited for: the bet is in", async () => {
  const [chain, store] = [new Chain(), shelf()];
  chain.late = 4;
  expect((await sendOwn(chain, store, call, quiet)).status).toBe("success");
  expect(chain.sent).toHaveLength(1);
});

test("whatever a node answers about what was sent, the wait goes on: nobody is told to press again", async () => {
  const [chain, store, said] = [new Chain(), shelf(), [] as string[]];
  let rubbish = 0;
  const [receipt, count] = [chain.receipt, chain.count];
  chain.receipt = async (hash) => {
    if (chain.mined.size > 0 && rubbish++ < 2) throw new Error("invalid JSON: <html>");
    return receipt(hash);
  };
  chain.count = async (block) => {
    if (block === "latest" && chain.time === 0) throw Object.assign(new Error("limit exceeded"), { code: -32005 });
    return count(block);
  };
  expect((await sendOwn(chain, store, call, (stage) => said.push(stage))).status).toBe("success");
  expect(said).toContain("the node does not answer: it is looked for when it does");
  expect(chain.nonce).toBe(1);
});

test.each(["INTERNAL_ERROR: existing tx with same hash", "txpool is full"])(
  "what a node took once is on its way, whatever it says of it afterwards: %s",
  async (words) => {
    const [chain, store] = [new Chain(), shelf()];
    const wait = chain.wait;
    // No block for half a minute: it is said to the node again.
    chain.wait = async () => (chain.time < 30_000 ? void (chain.time += 2000) : wait());
    const broadcast = chain.broadcast.bind(chain);
    chain.broadcast = async (raw) => {
      if (chain.sent.includes(raw)) throw new Error(words);
      await broadcast(raw);
    };
    expect((await sendOwn(chain, store, call, quiet)).status).toBe("success");
    expect([chain.sent.length, chain.nonce]).toEqual([1, 1]);
  },
);

test("what may have been passed on before the node refused it is waited for", async () => {
  const [chain, store] = [new Chain(), shelf()];
  const wait = chain.wait;
  chain.wait = async () => (chain.time < 10_000 ? void (chain.time += 2000) : wait());
  const broadcast = chain.broadcast.bind(chain);
  chain.broadcast = async (raw) => {
    if (chain.sent.length > 0) throw new Error("txpool is full");
    await broadcast(raw);
    throw new HttpRequestError({ url: "http://node", body: {}, status: 502 });
  };
  expect((await sendOwn(chain, store, call, quiet)).status).toBe("success");
  expect(chain.nonce).toBe(1);
});

test("what a node refuses for good after it may have been passed on is not waited for without an end", async () => {
  const [chain, store] = [new Chain(), shelf()];
  chain.broadcast = async (raw) => {
    chain.sent.push(raw);
    if (chain.sent.length === 1) throw new HttpRequestError({ url: "http://node", body: {}, status: 502 });
    throw new Error("exceeds block gas limit");
  };
  await expect(sendOwn(chain, store, call, quiet)).rejects.toThrow("has refused what you sent for ten minutes");
  expect(chain.time).toBeGreaterThan(600_000);
  expect(chain.time).toBeLessThan(610_000);
  expect([store.load(), new Set(chain.sent).size]).toEqual([undefined, 1]);
  // At most one of both is done: what is sent next has its number.
  chain.broadcast = Chain.prototype.broadcast;
  await sendOwn(chain, store, { ...call, data: "0xbeef" }, quiet);
  const numbers = chain.sent.map((raw) => parseTransaction(raw as TransactionSerialized<"eip1559">).nonce);
  expect(new Set(numbers)).toEqual(new Set([0]));
});

test("a club that gives no gas for a higher price says why, and the wait for what was sent goes on", async () => {
  const [chain, store, said] = [new Chain(), shelf(), [] as string[]];
  chain.topUp = () => Promise.reject(new Refusal("This account was replaced by another one."));
  chain.each = () => {
    if (chain.time === 2000) [chain.base, chain.funds] = [9n * GWEI, 1n];
    if (chain.time === 60_000) chain.base = GWEI;
  };
  expect((await sendOwn(chain, store, call, (stage) => said.push(stage))).status).toBe("success");
  expect(said).toContain("This account was replaced by another one.");
});

test.each([
  ["internal error", -32603],
  ["context deadline exceeded", -32000],
])("a node that fails with %s may have passed it on: it is said again, and sent once", async (words, code) => {
  const [chain, store] = [new Chain(), shelf()];
  const broadcast = chain.broadcast.bind(chain);
  let failures = 0;
  chain.broadcast = async (raw) => {
    await broadcast(raw);
    if (failures++ === 0) throw Object.assign(new Error(words), { code });
  };
  expect((await sendOwn(chain, store, call, quiet)).status).toBe("success");
  expect(chain.nonce).toBe(1);
  expect(new Set(chain.sent).size).toBe(1);
});

test.each(["already known", "AlreadyKnown", "Known transaction", "Transaction with the same hash was already imported."])(
  "a node that has it already (%s) is no refusal",
  async (words) => {
    const [chain, store] = [new Chain(), shelf()];
    const broadcast = chain.broadcast.bind(chain);
    chain.broadcast = (raw) => broadcast(raw).then(() => Promise.reject(new Error(words)));
    expect((await sendOwn(chain, store, call, quiet)).status).toBe("success");
  },
);

test("a chain that stands still for ten minutes is no reason to pay more", async () => {
  const [chain, store] = [new Chain(), shelf()];
  const wait = chain.wait;
  chain.wait = async () => (chain.time < 600_000 ? void (chain.time += 2000) : wait());
  expect((await sendOwn(chain, store, call, quiet)).status).toBe("success");
  expect(new Set(chain.sent).size).toBe(1);
});

test("the same call that is on its way is waited for and not sent twice, another one is sent after it", async () => {
  const [chain, store] = [new Chain(), shelf()];
  const wait = chain.wait;
  chain.wait = async () => {
    throw new Error("the page is closed");
  };
  await expect(sendOwn(chain, store, call, quiet)).rejects.toThrow("the page is closed");
  chain.wait = wait;
  expect((await sendOwn(chain, store, call, quiet)).transactionHash).toBe(keccak256(chain.sent[0]!));
  expect(chain.nonce).toBe(1);
  await sendOwn(chain, store, { ...call, data: "0x5678" }, quiet);
  expect(chain.nonce).toBe(2);
});

/** A tab that nobody looks at: it waits until then. */
function hidden(chain: Chain): { tab: Sender; show: () => void } {
  let show = () => {};
  const shown = new Promise<void>((resolve) => (show = resolve));
  const tab = Object.create(chain, { wait: { value: () => shown.then(chain.wait) } }) as Sender;
  return { tab, show };
}

test("a tab that nobody looks at holds no other one up, and learns what the other one saw to", async () => {
  const [chain, store] = [new Chain(), shelf()];
  const { tab, show } = hidden(chain);
  const first = sendOwn(tab, store, call, quiet);
  await vi.waitFor(() => expect(chain.sent).toHaveLength(1));
  const other = await sendOwn(chain, store, { ...call, data: "0x5678" }, quiet);
  expect(chain.nonce).toBe(2);
  show();
  expect((await first).transactionHash).toBe(keccak256(chain.sent[0]!));
  expect(other.transactionHash).not.toBe((await first).transactionHash);
});

test("a tab that cannot know what another one made of its transaction does not say that it was not done", async () => {
  const [chain, store] = [new Chain(), shelf()];
  const { tab, show } = hidden(chain);
  const first = sendOwn(tab, store, call, quiet);
  await vi.waitFor(() => expect(chain.sent).toHaveLength(1));
  chain.base = 9n * GWEI; // the other tab offers more
  await settle(chain, store, quiet);
  expect(chain.nonce).toBe(1);
  show();
  await expect(first).rejects.toThrow("Another tab of this page saw to it. Look what became of it before you try again.");
});

test("two tabs at once use two numbers", async () => {
  const [chain, store] = [new Chain(), shelf()];
  await Promise.all([sendOwn(chain, store, call, quiet), sendOwn(chain, store, { ...call, data: "0x5678" }, quiet)]);
  expect(chain.nonce).toBe(2);
});

test("a locked account is opened before anything is waited for or kept", async () => {
  const [chain, store] = [new Chain(), shelf()];
  chain.open = () => Promise.reject(new Refusal("Your account is locked. Nothing was sent."));
  await expect(sendOwn(chain, store, call, quiet)).rejects.toThrow("Nothing was sent.");
  expect([chain.sent, store.all]).toEqual([[], []]);
});
