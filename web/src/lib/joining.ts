// From an invitation to membership: each step is looked at by itself, so that whoever was cut off goes on where that was.
import type { Address } from "viem";
import { chain } from "./chain.svelte";
import { club, type Membership } from "./club.svelte";
import { isNodeAway, Refusal } from "./errors";
import { invitation, rememberName } from "./invitation";
import { nameOf } from "./names";
import { readAccount } from "./money";
import type { Tell } from "./pending";
import { call, send } from "./send";
import { wallet } from "./wallet.svelte";

/** Makes the person a member of the club, called by a name; the wallet of this browser is used, or an account made. What does not
 * answer is asked again, until it does. */
export async function joinClub(name: string, tell: Tell) {
  const code = invitation();
  if (!code) throw new Refusal("Open the link that you were invited with: a code is in it.");
  rememberName(name);
  if (!wallet.account) await wallet.useOwn();
  for (;;) {
    try {
      return await comeIn(code, name, tell);
    } catch (error) {
      if (!isNodeAway(error)) throw error;
      tell("the club's node does not answer: it goes on when it does");
      await chain.change();
    }
  }
}

async function comeIn(code: string, name: string, tell: Tell) {
  const account = wallet.account!;
  tell("the club is expecting you");
  const membership = await club.redeem(code, account);
  if (nameOf(account) !== name.trim()) {
    tell("your name");
    await club.setName(name);
  }
  // What the club does meanwhile takes a block or two. A wallet asks the person for each signature: one after the other.
  const session = club.member === account ? Promise.resolve() : club.signIn();
  session.catch(() => {}); // it is awaited below
  if (wallet.kind !== "own") await session;
  await enter(code, account, membership, tell);
  await session;
}

async function enter(code: string, account: Address, { state, detail }: Membership, tell: Tell) {
  while (state === "coming") {
    tell(detail.replace(/\.$/, "")); // also why it takes so long
    await chain.change();
    ({ state, detail } = await club.redeem(code, account));
  }
  if (state === "joined") return;
  const { marketsBit } = await readAccount(account);
  await send(call(chain.at("PlayEuro"), "join", [marketsBit]), tell);
}
