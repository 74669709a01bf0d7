// From an invitation to membership: each step is looked at by itself, so that whoever was cut off goes on where that was.
import { chain } from "./chain.svelte";
import { club } from "./club.svelte";
import { Refusal } from "./errors";
import { invitation, rememberName } from "./invitation";
import { nameOf } from "./names";
import { readAccount } from "./money";
import type { Tell } from "./pending";
import { call, send } from "./send";
import { wallet } from "./wallet.svelte";

/** Makes the person a member of the club, called by a name; the wallet of this browser is used, or an account made. */
export async function joinClub(name: string, tell: Tell) {
  const code = invitation();
  if (!code) throw new Refusal("Open the link that you were invited with: a code is in it.");
  rememberName(name);
  if (!wallet.account) await wallet.useOwn();
  const account = wallet.account!;
  tell("the club is expecting you");
  let state = await club.redeem(code, account);
  if (nameOf(account) !== name.trim()) {
    tell("your name");
    await club.setName(name);
  }
  if (club.member !== account) await club.signIn();
  while (state === "coming") {
    tell("the club invites you");
    await chain.change();
    state = await club.redeem(code, account);
  }
  if (state !== "joined") {
    const { marketsBit } = await readAccount(account);
    await send(call(chain.at("PlayEuro"), "join", [marketsBit]), tell);
  }
}
