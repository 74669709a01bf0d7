// Transactions of an account of this browser, from its key to the chain: they survive a reload, and go through when fees rise.
import { type Address, type Hex, keccak256, type LocalAccount, type TransactionReceipt } from "viem";
import { isNodeAway, Refusal } from "./errors";

/** A transaction that may still be mined: what it does, and each price that was offered for it. */
export type Pending = {
  readonly nonce: number;
  readonly to: Address;
  readonly data: Hex;
  readonly gas: bigint;
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  /** Signed, with the newest price. */
  readonly raw: Hex;
  /** Of the transaction at each price: any of them can be the one that is mined. */
  readonly hashes: readonly Hex[];
  /** Unix milliseconds of the newest price. */
  readonly since: number;
};

export type Prices = { readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint };

/** What it asks of a chain. */
export interface Sender {
  readonly chainId: number;
  readonly account: LocalAccount;
  /** Whether it signs without asking the person. */
  isOpen(): boolean;
  /** How many transactions of the account are mined ("latest"), or known to the node. */
  count(block: "latest" | "pending"): Promise<number>;
  /** What a transaction should offer now, and the least that a block takes. */
  prices(): Promise<Prices & { readonly least: bigint }>;
  balance(): Promise<bigint>;
  broadcast(raw: Hex): Promise<void>;
  receipt(hash: Hex): Promise<TransactionReceipt | undefined>;
  /** Asks whoever pays for gas, and says what to tell the person meanwhile; undefined where nobody does. */
  topUp?(): Promise<string>;
  /** A while, and as long as nobody looks at the page. */
  wait(): Promise<void>;
  /** Whether the person has called it off. */
  isStopped(): boolean;
  now(): number;
}

/** How far it is, in words, and whether it can still be called off. */
export type Tell = (stage: string, canStop?: boolean) => void;

export interface Store {
  load(): Pending | undefined;
  save(pending: Pending | undefined): void;
}

/** Nodes take a replacement from a tenth more on; an eighth is what wallets offer. */
export const raised = (price: bigint) => price + price / 8n + 1n;
/** A transaction that waited so long is offered more. */
const PATIENCE_MS = 15_000;

const isKnown = (error: unknown) => /already known|known transaction|already imported/i.test(String(error));
const isUsed = (error: unknown) => /nonce too low|nonce has already been used/i.test(String(error));
const isPoor = (error: unknown) => /insufficient funds|exceeds the balance|insufficient balance/i.test(String(error));
const isCheap = (error: unknown) => /underpriced|fee too low|less than block base fee|max fee per gas/i.test(String(error));

async function signed(sender: Sender, { nonce, to, data, gas }: Pick<Pending, "nonce" | "to" | "data" | "gas">, prices: Prices) {
  const { maxFeePerGas, maxPriorityFeePerGas } = prices;
  const { account, chainId } = sender;
  return account.signTransaction({
    type: "eip1559",
    chainId,
    nonce,
    to,
    data,
    gas,
    value: 0n,
    maxFeePerGas,
    maxPriorityFeePerGas,
  });
}

/** What can be offered for so much gas: no more than there is, and no less than a block takes. Undefined: there is too little. */
export function affordable({ least, ...prices }: Prices & { least: bigint }, gas: bigint, balance: bigint): Prices | undefined {
  const most = balance / gas;
  if (most < least) return undefined;
  const maxFeePerGas = prices.maxFeePerGas < most ? prices.maxFeePerGas : most;
  const maxPriorityFeePerGas = prices.maxPriorityFeePerGas < maxFeePerGas ? prices.maxPriorityFeePerGas : maxFeePerGas;
  return { maxFeePerGas, maxPriorityFeePerGas };
}

async function fundedPrices(sender: Sender, gas: bigint, tell: Tell): Promise<Prices> {
  for (let asked = -Infinity; ; await sender.wait()) {
    const [prices, balance] = await Promise.all([sender.prices(), sender.balance()]);
    const offer = affordable(prices, gas, balance);
    if (offer) return offer;
    if (!sender.topUp) throw new Refusal("Not enough ETH for the network fee. Nothing was sent.");
    if (sender.isStopped()) throw new Refusal("You called it off. Nothing was sent.");
    if (sender.now() - asked < PATIENCE_MS) continue;
    asked = sender.now();
    tell(await sender.topUp(), true);
  }
}

/** Sends a call of an account and waits until it is mined. Raises where nothing was sent, or another of its transactions came first. */
export async function sendOwn(
  sender: Sender,
  store: Store,
  call: { readonly to: Address; readonly data: Hex; readonly gas: bigint },
  tell: Tell,
): Promise<TransactionReceipt> {
  // One after another: what a visit before left behind comes first.
  await settle(sender, store, tell).catch((error: unknown) => {
    if (!(error instanceof Refusal)) throw error;
  });
  const prices = await fundedPrices(sender, call.gas, tell);
  const nonce = await sender.count("pending");
  const raw = await signed(sender, { ...call, nonce }, prices);
  // Kept before it is sent: whatever happens to the page, it is known that this may be mined.
  store.save({ ...call, ...prices, nonce, raw, hashes: [keccak256(raw)], since: sender.now() });
  return (await settle(sender, store, tell, true))!;
}

/** Waits for what was sent and is kept, raising its price where it has to. Undefined where nothing was kept. Raises Refusal where
 * another transaction of the account took its place, or `fresh` and the node refuses it: nothing was sent then. */
export async function settle(sender: Sender, store: Store, tell: Tell, fresh = false): Promise<TransactionReceipt | undefined> {
  let pending = store.load();
  if (!pending) return undefined;
  let isSent = false;
  let refusal: unknown;
  for (;;) {
    try {
      if (!isSent) {
        await sender.broadcast(pending.raw).catch((error: unknown) => {
          if (isNodeAway(error)) throw error;
          if (!isKnown(error)) refusal = error;
        });
        isSent = true;
      }
      const receipt = await mined(sender, pending);
      if (receipt) {
        store.save(undefined);
        return receipt;
      }
      if ((await sender.count("latest")) > pending.nonce) {
        // A receipt may come a moment after the count.
        const late = await mined(sender, pending);
        store.save(undefined);
        if (late) return late;
        throw new Refusal("Another transaction of yours came first. This one was not done: look, and try again.");
      }
      if (refusal !== undefined && !isUsed(refusal)) {
        if (fresh && pending.hashes.length === 1 && !isPoor(refusal) && !isCheap(refusal)) {
          store.save(undefined);
          throw refusal;
        }
        const isDue = isCheap(refusal) || sender.now() - pending.since > PATIENCE_MS;
        if (isDue && sender.isOpen()) pending = await offerMore(sender, store, pending, tell);
        [isSent, refusal] = [false, undefined];
      } else if (sender.now() - pending.since > PATIENCE_MS && sender.isOpen()) {
        tell("fees have risen: offering more");
        pending = await offerMore(sender, store, pending, tell);
        isSent = false;
      } else tell("waiting for the chain");
    } catch (error) {
      if (!isNodeAway(error)) throw error;
      tell("the node does not answer: it is sent when it does");
    }
    await sender.wait();
  }
}

async function mined(sender: Sender, { hashes }: Pending): Promise<TransactionReceipt | undefined> {
  const receipts = await Promise.all(hashes.map((hash) => sender.receipt(hash)));
  return receipts.find((receipt) => receipt !== undefined);
}

/** The same transaction at a higher price; unchanged where nothing can be offered now. */
async function offerMore(sender: Sender, store: Store, pending: Pending, tell: Tell): Promise<Pending> {
  const [now, balance] = await Promise.all([sender.prices(), sender.balance()]);
  const larger = (one: bigint, other: bigint) => (one > other ? one : other);
  const [fee, tip] = [raised(pending.maxFeePerGas), raised(pending.maxPriorityFeePerGas)];
  const wanted = {
    maxFeePerGas: larger(fee, now.maxFeePerGas),
    maxPriorityFeePerGas: larger(tip, now.maxPriorityFeePerGas),
    least: larger(fee, now.least),
  };
  const prices = affordable(wanted, pending.gas, balance);
  if (!prices) {
    tell((await sender.topUp?.()) ?? "fees have risen above what your ETH pays for: waiting");
    return { ...pending, since: sender.now() };
  }
  const raw = await signed(sender, pending, prices);
  const next = { ...pending, ...prices, raw, hashes: [...pending.hashes, keccak256(raw)], since: sender.now() };
  store.save(next);
  return next;
}
