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
  /** Asks the person for what opens the account, where it is locked. Raises Refusal where they do not open it. */
  open(): Promise<void>;
  /** Whether it signs without asking the person. */
  isOpen(): boolean;
  /** Does something while no other tab of this browser does such a thing. It is over soon: nothing is waited for in it. */
  alone<T>(act: () => Promise<T>): Promise<T>;
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
/** A transaction that waited so long is said to the node again, and offered more where fees have risen. */
const PATIENCE_MS = 15_000;
/** A number that is used up says nothing yet: the receipt may come from a machine that is some blocks behind. */
const LATE_MS = 15_000;
/** A node that refuses a transaction for so long has not got it, nor has anybody whom it knows: the wait has an end. What is sent
 * next has the same number, so at most one of the two is done. */
const REFUSED_MS = 600_000;

const isKnown = (error: unknown) =>
  /already ?known|known transaction|already imported|existing tx with same hash/i.test(String(error));
const isUsed = (error: unknown) => /nonce too low|nonce has already been used/i.test(String(error));
const isPoor = (error: unknown) => /insufficient funds|exceeds the balance|insufficient balance/i.test(String(error));
const isCheap = (error: unknown) => /underpriced|fee too low|less than block base fee|max fee per gas/i.test(String(error));
/** Whether a refusal is the node's last word: neither time nor money nor a higher price changes it. */
const isFinal = (error: unknown) => !isUsed(error) && !isPoor(error) && !isCheap(error);
/** Whether an error leaves open what became of the transaction: the node, or one behind it, may have passed it on all the same. */
const isUnclear = (error: unknown) =>
  isNodeAway(error) ||
  /internal error|timed? ?out|deadline|unavailable|try again|temporar|too many requests|limit exceeded/i.test(String(error)) ||
  [-32603, -32005, -32002].includes((error as { code?: number }).code ?? 0);

const OVERTAKEN = "Another transaction of yours came first. This one was not done: look, and try again.";
const REFUSED = "The node has refused what you sent for ten minutes, so it is taken for not done. Look before you try again.";
const ELSEWHERE = "Another tab of this page saw to it. Look what became of it before you try again.";

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

/** Sends a call of an account and waits until it is mined. The same call that is on its way already is waited for, and not sent
 * twice. Raises where nothing was sent, or another of its transactions came first. */
export async function sendOwn(
  sender: Sender,
  store: Store,
  call: { readonly to: Address; readonly data: Hex; readonly gas: bigint },
  tell: Tell,
): Promise<TransactionReceipt> {
  await sender.open();
  for (;;) {
    // One after another: what a visit before, or another tab, left behind comes first.
    const before = store.load();
    if (before) {
      const isSame = before.to === call.to && before.data === call.data;
      const receipt = await settle(sender, store, tell).catch((error: unknown) => {
        if (isSame || !(error instanceof Refusal)) throw error;
        return undefined;
      });
      if (isSame && receipt) return receipt;
      continue;
    }
    const prices = await fundedPrices(sender, call.gas, tell);
    const isSigned = await sender.alone(async () => {
      if (store.load()) return false; // another tab was faster
      const nonce = await sender.count("pending");
      const raw = await signed(sender, { ...call, nonce }, prices);
      // Kept before it is sent: whatever happens to the page, it is known that this may be mined.
      store.save({ ...call, ...prices, nonce, raw, hashes: [keccak256(raw)], since: sender.now() });
      return true;
    });
    if (isSigned) return (await settle(sender, store, tell, true))!;
  }
}

/** Waits for what was sent and is kept, raising its price where it has to: only the chain ends that, or a node that refuses it for long.
 * Undefined where nothing was kept. Raises Refusal where another transaction of the account took its place or another tab saw to
 * it, and the node's error where it is `fresh` and the node refuses it before anything else: nothing was sent then. */
export async function settle(sender: Sender, store: Store, tell: Tell, fresh = false): Promise<TransactionReceipt | undefined> {
  const first = store.load();
  if (!first) return undefined;
  const isIt = (kept: Pending | undefined) => kept?.hashes[0] === first.hashes[0];
  const forget = () => {
    if (isIt(store.load())) store.save(undefined);
  };
  let pending = first;
  let isSent = false;
  let mayBeThere = !fresh; // the node, or one behind it, took it once, or may have: no refusal takes that back
  let lookedAt = -Infinity; // whether it is still worth its price
  let goneSince: number | undefined;
  let refusedSince: number | undefined;

  /** Looks once how far it is. Undefined: it is to be waited for. */
  async function look(): Promise<{ receipt: TransactionReceipt } | { failure: unknown } | undefined> {
    // Another tab may have offered more, or have seen it to its end.
    const kept = store.load();
    const isKept = isIt(kept);
    if (isKept) pending = kept!;
    let refusal: unknown;
    if (isKept && !isSent) {
      await sender.broadcast(pending.raw).catch((error: unknown) => {
        if (isKnown(error)) return;
        if (isFinal(error) && isUnclear(error)) {
          mayBeThere = true;
          throw error;
        }
        refusal = error;
      });
      isSent = refusal === undefined;
      refusedSince = refusal !== undefined && isFinal(refusal) ? (refusedSince ?? sender.now()) : undefined;
      mayBeThere ||= isSent;
    }
    const receipt = await mined(sender, pending);
    if (receipt) {
      forget();
      return { receipt };
    }
    if (!isKept || (await sender.count("latest")) > pending.nonce) {
      goneSince ??= sender.now();
      tell("waiting for the chain");
      if (sender.now() - goneSince <= LATE_MS) return undefined;
      forget();
      return { failure: new Refusal(isKept ? OVERTAKEN : ELSEWHERE) };
    }
    goneSince = undefined;
    if (refusedSince !== undefined && sender.now() - refusedSince > REFUSED_MS) {
      forget();
      return { failure: new Refusal(REFUSED) };
    }
    if (!mayBeThere && refusal !== undefined && pending.hashes.length === 1 && isFinal(refusal)) {
      forget();
      return { failure: refusal };
    }
    if (isCheap(refusal) || sender.now() - Math.max(pending.since, lookedAt) > PATIENCE_MS) {
      [isSent, lookedAt] = [false, sender.now()]; // a node may have forgotten it
      if (sender.isOpen()) await offerMore(sender, store, pending, isCheap(refusal), tell);
    } else tell("waiting for the chain");
    return undefined;
  }

  for (;;) {
    const end = await look().catch((error: unknown) => {
      const words = `the node does not answer: it is ${isSent ? "looked for" : "sent"} when it does`;
      tell(error instanceof Refusal && !isNodeAway(error) ? error.message : words);
    });
    if (end && "failure" in end) throw end.failure;
    if (end) return end.receipt;
    await sender.wait();
  }
}

async function mined(sender: Sender, { hashes }: Pending): Promise<TransactionReceipt | undefined> {
  const receipts = await Promise.all(hashes.map((hash) => sender.receipt(hash)));
  return receipts.find((receipt) => receipt !== undefined);
}

/** Keeps the same transaction at a higher price, where fees have risen above what it offers or `isCheap`: a chain that stands still
 * is no reason to pay more. It stays as it is where no more can be offered now. */
async function offerMore(sender: Sender, store: Store, pending: Pending, isCheap: boolean, tell: Tell): Promise<void> {
  const [now, balance] = await Promise.all([sender.prices(), sender.balance()]);
  const { maxFeePerGas, maxPriorityFeePerGas, gas } = pending;
  const isOutbid = isCheap || now.least > maxFeePerGas || now.maxPriorityFeePerGas > maxPriorityFeePerGas;
  const larger = (one: bigint, other: bigint) => (one > other ? one : other);
  const fee = raised(maxFeePerGas);
  const wanted = {
    maxFeePerGas: larger(fee, now.maxFeePerGas),
    maxPriorityFeePerGas: larger(raised(maxPriorityFeePerGas), now.maxPriorityFeePerGas),
    least: larger(fee, now.least),
  };
  const prices = isOutbid ? affordable(wanted, gas, balance) : undefined;
  if (prices) tell("fees have risen: offering more");
  else if (isOutbid || balance < gas * maxFeePerGas) {
    tell((await sender.topUp?.()) ?? "fees have risen above what your ETH pays for: waiting");
  } else tell("waiting for the chain");
  if (!prices) return;
  await sender.alone(async () => {
    if (store.load()?.raw !== pending.raw) return; // another tab was faster
    const since = sender.now();
    const raw = await signed(sender, pending, prices);
    store.save({ ...pending, ...prices, raw, hashes: [...pending.hashes, keccak256(raw)], since });
  });
}
