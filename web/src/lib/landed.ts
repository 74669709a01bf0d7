// Waiting for what a wallet of the browser has sent.
import type { Address, Hex, TransactionReceipt } from "viem";
import { getTransaction, getTransactionCount } from "viem/actions";
import { chain } from "./chain.svelte";
import { Refusal } from "./errors";
import type { Tell } from "./pending";

/** How often it is looked whether the node knows it and, in a club, whether its number is used up. */
const LOOK_MS = 15_000;
/** What no node has seen for so long, the wallet has dropped, or its hash is none of the chain's. */
const UNSEEN_MS = 600_000;
const UNSEEN = "The chain does not show what your wallet has sent. Look there before you try again.";
const OTHER = "Your wallet sent another transaction in its place. Look at your account before you try again.";

/** The receipt of a transaction that a wallet has sent. It is waited for whatever the node answers: whoever is told of a failure
 * presses again, and may do it twice. Raises Refusal where the wallet has put another transaction in its place, or the node
 * has not seen it for ten minutes. */
export async function landed(hash: Hex, from: Address, tell: Tell): Promise<TransactionReceipt> {
  const { client, deployment } = chain;
  // A club's node shows no blocks with their transactions, by which viem knows what took a place: there the number tells.
  const isClub = deployment.clubUrl !== undefined;
  const begun = Date.now();
  let sent = await getTransaction(client, { hash }).catch(() => undefined);
  for (let looksUsed = 0; ;) {
    let replaced: "cancelled" | "replaced" | "repriced" | undefined;
    try {
      const receipt = await client.waitForTransactionReceipt({
        hash,
        ...(isClub ? { checkReplacement: false } : { replacement: sent }),
        timeout: isClub || !sent ? LOOK_MS : 0,
        onReplaced: ({ reason }) => (replaced = reason),
      });
      if (replaced === "cancelled") throw new Refusal("You cancelled this transaction in your wallet. Nothing was done.");
      if (replaced === "replaced") throw new Refusal(OTHER);
      return receipt;
    } catch (error) {
      if (error instanceof Refusal) throw error;
      tell("your wallet has sent it, and the chain does not show it yet");
    }
    sent ??= await getTransaction(client, { hash }).catch(() => undefined);
    if (!sent && Date.now() - begun > UNSEEN_MS) throw new Refusal(UNSEEN);
    if (isClub && sent) {
      // A receipt may come some blocks after the number is used up.
      const count = await getTransactionCount(client, { address: from, blockTag: "latest" }).catch(() => 0);
      looksUsed = count > sent.nonce ? looksUsed + 1 : 0;
      if (looksUsed > 1) throw new Refusal(OTHER);
    }
    await chain.change();
  }
}
