// A node that a person names.
import { Refusal } from "./errors";

/** An address of a node as the page takes it. Raises Refusal where it is none. */
export function nodeUrl(text: string): string {
  const typed = text.trim();
  let url: URL;
  try {
    url = new URL(/^[a-z]+:\/\//i.test(typed) ? typed : `https://${typed}`);
  } catch {
    throw new Refusal("This is no address of a node.");
  }
  const isHere = url.hostname === "localhost" || url.hostname === "127.0.0.1";
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isHere)) {
    throw new Refusal("A node's address begins with https://.");
  }
  return url.href;
}

/** Asks a node which chain it is of; its address. Raises Refusal where it does not answer or is of another chain. */
export async function checkNode(text: string, chainId: number): Promise<string> {
  const url = nodeUrl(text);
  const told = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] }),
  })
    .then((answer) => answer.json() as Promise<{ result?: string }>)
    .catch(() => undefined);
  if (told?.result === undefined) throw new Refusal("This node does not answer, or not to pages of others. Try another one.");
  if (Number(told.result) !== chainId) {
    throw new Refusal(`This node is of chain ${Number(told.result)}, and the page needs one of chain ${chainId}.`);
  }
  return url;
}
