// What waits for a person: on the chain, as the club's node sees it, and in this browser.
import { club, type Item } from "./club.svelte";
import { own } from "./own.svelte";
import { wallet } from "./wallet.svelte";

/** By deadline; "copy": the account is in this browser alone. */
export function todo(): (Item | "copy")[] {
  if (!wallet.account || club.member !== wallet.account) return [];
  return [...club.waiting, ...(wallet.kind === "own" && !own.isCopied ? (["copy"] as const) : [])];
}
