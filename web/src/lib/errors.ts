// What went wrong, in words that tell a person what to do, and whether anything was sent.
import { errors, type Reason } from "@tessera/abi";
import { BaseError, ContractFunctionRevertedError, decodeErrorResult, HttpRequestError, type Hex, isHex } from "viem";

export type Explanation = { readonly title: string; readonly advice: string };

/** A refusal of the page itself, said as it is. */
export class Refusal extends Error {
  /** Whether it says no more than that a node is away for the moment. */
  readonly isAway: boolean = false;
}

/** The chain refused a transaction that would succeed now: somebody else's came first. */
export class Overtaken extends Refusal {
  constructor() {
    super("The chain refused it: others were faster. Try again.");
  }
}

type Part = { readonly code?: unknown; readonly message?: unknown; readonly details?: unknown; readonly data?: unknown };

/** An error and everything in it: wallets and nodes wrap causes in `cause`, `data`, `originalError` and `error`, and some of
 * them several times. Outermost first. */
function* parts(error: unknown, seen = new Set<unknown>()): Generator<Part> {
  if (typeof error !== "object" || error === null || seen.has(error)) return;
  seen.add(error);
  yield error as Part;
  for (const name of ["cause", "data", "originalError", "error", "info"]) {
    const inner = (error as Record<string, unknown>)[name];
    if (typeof inner === "string" && inner.startsWith("{")) {
      try {
        yield* parts(JSON.parse(inner), seen);
      } catch {
        // words, then
      }
    } else yield* parts(inner, seen);
  }
}

const texts = (part: Part) => [part.message, part.details].filter((text) => typeof text === "string").join(" ");

const REVERT_CODES = [3, -32000, -32015, -32603];

/** What a contract returned when it refused, or the reason that a node tells in words. */
function revertOf(error: unknown): { readonly data?: Hex; readonly reason?: string } | undefined {
  let inWords: string | undefined;
  for (const part of parts(error)) {
    // viem takes any internal error of a node for a refusal: what says so itself, with its data, is one.
    const { raw } = part as { raw?: Hex };
    if (raw !== undefined && raw !== "0x" && part instanceof ContractFunctionRevertedError) return { data: raw };
    const { code } = part as Part;
    const returned = typeof part.data === "object" && part.data !== null ? (part.data as Part).data : part.data;
    if (REVERT_CODES.includes(code as number) && isHex(returned) && returned.length >= 10) return { data: returned };
    const said = /execution reverted(?:: *(?:revert: *)?(.*))?|VM Exception[^']*'([^']*)'/i.exec(texts(part));
    if (said) inWords ??= (said[1] ?? said[2] ?? "").replace(/^"|"$/g, "").trim();
    if (code === 3) inWords ??= "";
  }
  return inWords === undefined ? undefined : { reason: inWords.split("\n")[0] };
}

/** Whether a contract refused, rather than that something failed on the way to it. */
export const isRevert = (error: unknown): boolean => revertOf(error) !== undefined;

/** The reason that a contract gave for refusing, as frontend-abi lists it. */
export function reasonFor(error: unknown): string | undefined {
  const revert = revertOf(error);
  return revert && reasonOf(revert);
}

function reasonOf({ data, reason }: { readonly data?: Hex; readonly reason?: string }): string {
  if (data === undefined) return reason ?? "";
  try {
    const { errorName, args } = decodeErrorResult({ data, abi: [] });
    return errorName === "Error" ? String(args?.[0]) : "";
  } catch {
    return "";
  }
}

const has = (error: unknown, test: (part: Part) => boolean): boolean => [...parts(error)].some(test);
const says = (error: unknown, words: RegExp) => has(error, (part) => words.test(texts(part)));
const code = (error: unknown, ...codes: number[]) => has(error, (part) => codes.includes(part.code as number));

/** EIP-3085: the wallet does not know the network. MetaMask for phones wraps it in an internal error. */
export const isUnknownNetwork = (error: unknown): boolean =>
  code(error, 4902) || says(error, /unrecognized chain|unknown chain|wallet_addEthereumChain/i);

/** Whether a person said no. */
export const isDeclined = (error: unknown): boolean =>
  code(error, 4001, 5000) || says(error, /user (rejected|denied|cancel)|rejected by (the )?user|ACTION_REJECTED/i);

/** Whether a part of the page was asked for while its server was away. A browser does not try again, until the page is loaded anew. */
const isPartMissing = (error: unknown): boolean => says(error, /dynamically imported module|importing a module script failed/i);

export const isNodeAway = (error: unknown): boolean =>
  !isPartMissing(error) &&
  ((error instanceof Refusal && error.isAway) ||
    has(error, (part) => part instanceof HttpRequestError || (part as Error).name === "TimeoutError") ||
    says(error, /failed to fetch|fetch failed|networkerror|load failed/i) ||
    code(error, 4900, 4901));

export const NODE_AWAY: Explanation = {
  title: "The node does not answer.",
  advice: "Nothing is lost, and what there is cannot be known until it does. The page tries again by itself.",
};

export function explain(error: unknown): Explanation {
  if (error instanceof Refusal) return { title: error.message, advice: "" };
  if (isPartMissing(error)) {
    return {
      title: "A part of this page could not be loaded.",
      advice: "Nothing was sent. Load the page again when its server answers.",
    };
  }
  if (isDeclined(error)) return { title: "You declined in your wallet.", advice: "Nothing was sent." };
  if (says(error, /insufficient funds|exceeds the balance of the account|insufficient balance for (gas|transfer)/i)) {
    return {
      title: "Not enough ETH for the network fee.",
      advice: "Nothing was sent. Send some ETH of this network to your account.",
    };
  }
  const revert = revertOf(error);
  if (revert) return ofReason(reasonOf(revert));
  if (says(error, /nonce too low|nonce has already been used|replacement transaction underpriced|already known/i)) {
    return { title: "Another transaction of yours came first.", advice: "This one was not sent. Look, and try again." };
  }
  if (code(error, -32002)) {
    return {
      title: "Your wallet waits for you.",
      advice: "It has a request open already: look there, answer it, and try again.",
    };
  }
  if (code(error, 4100))
    return { title: "Your wallet does not let this page act.", advice: "Unlock it or connect it again. Nothing was sent." };
  if (code(error, 4200, -32601))
    return { title: "Your wallet or node cannot do this.", advice: "Nothing was sent. Another wallet may." };
  if (code(error, -32005, 429) || has(error, (part) => (part as { status?: number }).status === 429)) {
    return { title: "The node is asked too often.", advice: "Wait a moment: the page tries again by itself." };
  }
  if (isNodeAway(error)) return NODE_AWAY;
  if (code(error, -32603)) {
    return {
      title: "Your wallet or its node failed without saying why.",
      advice: "Look in your wallet whether anything was sent, and try again.",
    };
  }
  if (error instanceof BaseError) return { title: error.shortMessage, advice: "" };
  const message = [...parts(error)].map((part) => part.message).find((text) => typeof text === "string" && text !== "");
  return { title: typeof message === "string" ? message : String(error), advice: "" };
}

function ofReason(reason: string): Explanation {
  const known = reason in errors ? errors[reason as Reason].advice : "";
  const words = reason.slice(reason.indexOf(":") + 1).trim();
  return {
    title: words ? `Refused: ${words}.` : "The contract refuses this without a reason: a value may be out of range.",
    advice: known,
  };
}
