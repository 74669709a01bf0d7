// The key of this browser among several tabs: none is lost, and none signs in another account's name.
import { privateKeyToAccount } from "viem/accounts";
import { beforeEach, expect, test, vi } from "vitest";
import { seal } from "../src/lib/keystore";

const [ADA, BEN] = [`0x${"11".repeat(32)}`, `0x${"22".repeat(32)}`] as const;
const address = (key: typeof ADA | typeof BEN) => privateKeyToAccount(key).address;
let kept: Map<string, string>;
let heard: (event: { key: string | null }) => void;

/** A tab of the page that opens now. */
async function tab() {
  vi.resetModules();
  return (await import("../src/lib/own.svelte")).own;
}
/** What another tab keeps, of which this one may hear. */
function elsewhere(value: object | undefined, isHeard = true) {
  if (value) kept.set("tessera.account", JSON.stringify(value));
  else kept.delete("tessera.account");
  if (isHeard) heard({ key: "tessera.account" });
}

beforeEach(() => {
  kept = new Map();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  });
  vi.stubGlobal("window", { addEventListener: (_: string, then: typeof heard) => (heard = then) });
  vi.stubGlobal("navigator", { userAgent: "test" });
});

test("a link that is opened twice makes one account, though the second tab has not heard of the first one's", async () => {
  const own = await tab();
  elsewhere({ address: address(ADA), key: ADA }, false);
  expect(await own.make()).toBe(address(ADA));
  expect(JSON.parse(kept.get("tessera.account")!)).toMatchObject({ key: ADA });
});

test("a key file is not put over an account that another tab has made", async () => {
  const own = await tab();
  elsewhere({ address: address(ADA), key: ADA }, false);
  await expect(own.take(BEN)).rejects.toThrow("There is another account in this browser.");
  expect(JSON.parse(kept.get("tessera.account")!)).toMatchObject({ key: ADA });
});

test("what was asked for in one account's name is not signed with another one's key", async () => {
  elsewhere({ address: address(ADA), key: ADA }, false);
  const own = await tab();
  const changes = vi.fn();
  own.start(changes);
  const account = own.account(address(ADA));
  await account.signMessage({ message: "hello" });
  elsewhere({ address: address(BEN), key: BEN });
  expect(changes).toHaveBeenCalledOnce();
  await expect(account.signMessage({ message: "hello" })).rejects.toThrow("Nothing was signed");
  elsewhere(undefined);
  await expect(account.signMessage({ message: "hello" })).rejects.toThrow("There is no account in this browser.");
});

test("two who ask for a locked key at once are answered by one passphrase", async () => {
  const sealed = await seal(ADA, "four words", 1024);
  elsewhere({ address: address(ADA), sealed }, false);
  const own = await tab();
  const both = [own.key(), own.key()];
  await vi.waitFor(() => expect(own.asking).toBeDefined());
  await own.asking!.open("four words");
  expect(await Promise.all(both)).toEqual([ADA, ADA]);
  expect(own.asking).toBeUndefined();
});

test("a locked account whose key file is brought again stays locked", async () => {
  const sealed = await seal(ADA, "four words", 1024);
  elsewhere({ address: address(ADA), sealed }, false);
  const own = await tab();
  await own.take(ADA);
  expect(kept.get("tessera.account")).not.toContain(ADA);
  expect(own.isOpen).toBe(true);
});
