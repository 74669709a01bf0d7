// What a devnet gives to whoever plays on it: money to begin with, and time. Its owner does it, wherever that is.
import type { Address } from "viem";
import { chain, DEVNET } from "./chain.svelte";
import { Refusal } from "./errors";

export const isDevnet = () => chain.deployment.chainId === DEVNET && chain.deployment.devnet !== undefined;

async function ask(what: "fund" | "pass", body: object): Promise<void> {
  const url = new URL(`${chain.deployment.devnet}${what}`, chain.base);
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  }).catch(() => undefined);
  if (answer?.ok) return;
  const said = (await answer?.json().catch(() => undefined)) as { error?: string } | undefined;
  throw new Refusal(`The devnet ${answer ? `could not: ${said?.error ?? answer.status}` : "does not answer"}. Try again.`);
}

/** Gas money, an invitation and dollars: whatever the account has not got yet. */
export const fund = (account: Address) => ask("fund", { account });

/** Lets days pass. What other people do meanwhile is up to whoever runs the devnet. */
export async function letPass(days: number): Promise<void> {
  await ask("pass", { days });
  await chain.refresh();
}
