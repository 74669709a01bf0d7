// What people are called: by the name that they chose in a club, else by the ends of their address.
import { type Address, getAddress, isAddress } from "viem";
import { club } from "./club.svelte";
import { short } from "./format";
import { plain } from "./texts";

/** A member's name; undefined where there is none, or the browser may not know it. */
export function nameOf(account: Address): string | undefined {
  const named = club.names.find((one) => getAddress(one.account) === getAddress(account));
  return named && `${plain(named.name)}${named.replaced ? " (an account of before)" : ""}`;
}

export const called = (account: Address): string => nameOf(account) ?? short(account);

const plainly = (name: string) => name.normalize("NFKC").trim().replace(/\s+/g, " ").toLowerCase();

/** Whom a person means who typed an address or a name; undefined where that is nobody. */
export function whoIs(text: string): Address | undefined {
  const typed = text.trim();
  if (isAddress(typed, { strict: false })) return isAddress(typed) ? getAddress(typed) : undefined;
  const wanted = plainly(typed);
  return club.names.find(({ name, replaced }) => !replaced && plainly(name) === wanted)?.account;
}
