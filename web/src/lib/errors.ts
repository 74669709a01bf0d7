// What went wrong, in words that tell a person what to do.
import { errors, type Reason } from "@tessera/abi";
import {
  BaseError,
  ContractFunctionRevertedError,
  HttpRequestError,
  InsufficientFundsError,
  NonceTooLowError,
  TimeoutError,
  UserRejectedRequestError,
} from "viem";

export type Explanation = { readonly title: string; readonly advice: string };

/** A refusal of the page itself, said as it is. */
export class Refusal extends Error {}

export function explain(error: unknown): Explanation {
  if (error instanceof Refusal) return { title: error.message, advice: "" };
  if (!(error instanceof BaseError)) {
    return isRejection(error) ? DECLINED : { title: error instanceof Error ? error.message : String(error), advice: "" };
  }
  if (error.walk((cause) => cause instanceof UserRejectedRequestError || isRejection(cause))) return DECLINED;
  const reverted = error.walk((cause) => cause instanceof ContractFunctionRevertedError);
  if (reverted instanceof ContractFunctionRevertedError) return ofReason(reverted.reason ?? "");
  if (error.walk((cause) => cause instanceof InsufficientFundsError)) {
    return { title: "Not enough ETH for the network fee.", advice: "Send some ETH of this network to your account." };
  }
  if (error.walk((cause) => cause instanceof NonceTooLowError)) {
    return { title: "Another transaction of yours came first.", advice: "This one was not sent. Look, and try again." };
  }
  if (error.walk((cause) => cause instanceof HttpRequestError || cause instanceof TimeoutError)) {
    return { title: "The node does not answer.", advice: "Nothing is lost. The page tries again by itself." };
  }
  return { title: error.shortMessage, advice: "" };
}

const DECLINED: Explanation = { title: "You declined in your wallet.", advice: "Nothing was sent." };

function isRejection(cause: unknown): boolean {
  return typeof cause === "object" && cause !== null && (cause as { code?: unknown }).code === 4001;
}

function ofReason(reason: string): Explanation {
  const known = reason in errors ? errors[reason as Reason].advice : "";
  const words = reason.slice(reason.indexOf(":") + 1).trim();
  return {
    title: words ? `Refused: ${words}.` : "The contract refuses this without a reason: a value may be out of range.",
    advice: known,
  };
}
