// How an account of this browser reaches the chain.
import type { Address } from "viem";
import { getBalance, getTransactionCount, getTransactionReceipt, sendRawTransaction } from "viem/actions";
import { chain } from "./chain.svelte";
import { club } from "./club.svelte";
import { Refusal } from "./errors";
import { notice } from "./notice.svelte";
import { own } from "./own.svelte";
import { type Pending, type Sender, settle, type Store } from "./pending";
import { recall, remember } from "./remembered";

const GWEI = 10n ** 9n;

/** Until somebody looks at the page again: nothing is asked for a tab that nobody looks at. */
const seen = () =>
  new Promise<void>((resolve) => {
    if (!document.hidden) return resolve();
    const look = () => {
      if (document.hidden) return;
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
  });

async function prices() {
  const [{ baseFeePerGas }, tip] = await Promise.all([
    chain.client.getBlock(),
    chain.client.request({ method: "eth_maxPriorityFeePerGas" }).then(BigInt, () => GWEI),
  ]);
  const base = baseFeePerGas ?? 0n;
  // A block's base fee is an eighth above the one before at most.
  return { maxFeePerGas: 2n * base + tip, maxPriorityFeePerGas: tip, least: base + base / 8n + 1n };
}

/** How an account of this browser sends; it can be called off by `signal`, as long as nothing was sent. */
export function senderOf(address: Address, signal?: AbortSignal): Sender {
  const [account, { client }] = [own.account(address), chain];
  return {
    chainId: chain.deployment.chainId,
    account,
    open: async () => void (await own.key()),
    isOpen: () => own.isOpen,
    alone,
    count: (blockTag) => getTransactionCount(client, { address, blockTag }),
    prices,
    balance: () => getBalance(client, { address, blockTag: "latest" }),
    broadcast: async (serializedTransaction) => void (await sendRawTransaction(client, { serializedTransaction })),
    receipt: (hash) =>
      getTransactionReceipt(client, { hash }).catch((error: unknown) => {
        if ((error as Error).name === "TransactionReceiptNotFoundError") return undefined;
        throw error;
      }),
    ...(club.isThere && { topUp: () => club.askForGas(address) }),
    wait: async () => {
      await chain.change();
      await seen();
    },
    isStopped: () => signal?.aborted === true,
    now: () => Date.now(),
  };
}

const BIG = ["gas", "maxFeePerGas", "maxPriorityFeePerGas"];

/** What could not be kept in this browser, whose storage is full: for as long as the page is open. */
const unkept = new Map<string, Pending>();

/** What may still be mined of an account, kept in this browser. */
export function storeOf(account: Address): Store {
  const name = `pending.${chain.identity}.${account}`;
  return {
    load: () => {
      const kept = recall<Record<string, unknown>>(name);
      if (!kept) return unkept.get(name);
      return Object.fromEntries(
        Object.entries(kept).map(([key, value]) => [key, BIG.includes(key) ? BigInt(value as string) : value]),
      ) as unknown as Pending;
    },
    save: (pending) => {
      const written = pending && { ...pending };
      for (const key of BIG) if (written) Object.assign(written, { [key]: String(written[key as keyof Pending]) });
      unkept.delete(name);
      if (remember(name, written) || !pending) return;
      remember(name, undefined); // an older price of it, which would be taken for the newest
      unkept.set(name, pending);
    },
  };
}

let last: Promise<unknown> = Promise.resolve();

/** One after another, in all tabs of this browser where it lets them know of each other. */
function alone<T>(act: () => Promise<T>): Promise<T> {
  const next = () => (navigator.locks ? navigator.locks.request("tessera.send", act) : act()) as Promise<T>;
  const turn = last.then(next, next);
  last = turn.catch(() => {});
  return turn;
}

/** Sees to what a visit before sent and did not see the end of. */
export async function finish(): Promise<void> {
  if (!own.address || !storeOf(own.address).load()) return;
  // It is said for as long as it is so: whoever does not know it presses again.
  const tell = (stage: string) => notice.say(`What you sent before is on its way: ${stage} …`);
  tell("one moment");
  const said = await settle(senderOf(own.address), storeOf(own.address), tell).then(
    (receipt) =>
      receipt &&
      (receipt.status === "success" ? "What you sent before is done." : "What you sent before was refused by the chain."),
    (error: unknown) => {
      if (error instanceof Refusal) return error.message;
      throw error;
    },
  );
  if (said) notice.say(said);
  await chain.refresh();
}
