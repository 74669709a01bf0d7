import {
  BaseError,
  ContractFunctionExecutionError,
  encodeErrorResult,
  HttpRequestError,
  InternalRpcError,
  RawContractError,
  RpcRequestError,
  UnknownRpcError,
} from "viem";
import { getContractError } from "viem/utils";
import { expect, test } from "vitest";
import { explain, isDeclined, isNodeAway, isRevert, isUnknownNetwork, reasonFor, Refusal } from "../src/lib/errors";

const abi = [{ type: "error", name: "Error", inputs: [{ name: "reason", type: "string" }] }] as const;
const data = encodeErrorResult({ abi, errorName: "Error", args: ["lmsr: price moved"] });
const request = { url: "http://node", body: {} };
/** As viem hands it on from a contract call. */
const called = (cause: BaseError) => getContractError(cause, { abi: [], args: [], functionName: "bet" });
const rpc = (code: number, message: string, data?: unknown) =>
  new RpcRequestError({ ...request, error: { code, message, data } });

test.each<[string, unknown]>([
  ["a node", called(new RawContractError({ data }))],
  ["a node's own error", rpc(3, "execution reverted: lmsr: price moved", data)],
  [
    "MetaMask",
    {
      code: -32603,
      message: "Internal JSON-RPC error.",
      data: { code: 3, message: "execution reverted: lmsr: price moved", data },
    },
  ],
  [
    "MetaMask without data",
    {
      code: -32603,
      message: "Internal JSON-RPC error.",
      data: { code: -32000, message: "execution reverted: lmsr: price moved" },
    },
  ],
  [
    "an older wallet",
    {
      code: -32603,
      data: { message: "VM Exception while processing transaction: reverted with reason string 'lmsr: price moved'" },
    },
  ],
  ["viem around a wallet", called(new InternalRpcError(rpc(-32603, "Internal JSON-RPC error.", { code: 3, data })))],
  ["a wallet that wraps twice", { code: -32603, data: { originalError: { code: 3, data, message: "execution reverted" } } }],
  ["a wallet that answers with a text", { code: -32603, data: JSON.stringify({ code: 3, message: "execution reverted", data }) }],
])("a refusal that %s tells", (_, error) => {
  expect(reasonFor(error)).toBe("lmsr: price moved");
  expect(isRevert(error)).toBe(true);
  expect(explain(error).title).toBe("Refused: price moved.");
  expect(explain(error).advice).toContain("Others bet first");
});

test.each<[string, unknown]>([
  ["an internal error that says nothing", called(new InternalRpcError(rpc(-32603, "Internal JSON-RPC error.")))],
  ["a node that is away", called(new HttpRequestError({ url: "http://node" }) as never)],
  ["a node that is asked too often", rpc(-32005, "limit exceeded")],
  ["headers that are missing", called(new UnknownRpcError(rpc(-32000, "header not found")))],
  ["a timeout in words", new Error("the request took too long")],
])("%s is no refusal by a contract", (_, error) => {
  expect(isRevert(error)).toBe(false);
  expect(explain(error).title).not.toMatch(/^Refused|contract/);
});

test.each([
  "Failed to fetch dynamically imported module: http://club/assets/signing.js",
  "error loading dynamically imported module: http://club/assets/signing.js",
  "Importing a module script failed.",
])("a part of the page that is missing does not come by waiting: %s", (message) => {
  expect(isNodeAway(new TypeError(message))).toBe(false);
  expect(explain(new TypeError(message)).title).toBe("A part of this page could not be loaded.");
});

test("a club's node that cannot work for the moment, or has not answered in time, is away", () => {
  class Busy extends Refusal {
    override readonly isAway = true;
  }
  expect(isNodeAway(new Busy("The chain's node does not answer."))).toBe(true);
  expect(isNodeAway(new Refusal("The code was used."))).toBe(false);
  expect(isNodeAway(new DOMException("signal timed out", "TimeoutError"))).toBe(true);
});

test("a refusal without a word is one", () => {
  const error = called(new RawContractError({ data: "0x" }));
  expect(isRevert(error)).toBe(true);
  expect(explain(error).title).toBe("The contract refuses this without a reason: a value may be out of range.");
});

test("a panic's number is no reason", () => {
  const panic = encodeErrorResult({
    abi: [{ type: "error", name: "Panic", inputs: [{ name: "code", type: "uint256" }] }],
    args: [17n],
  });
  expect(reasonFor(rpc(3, "execution reverted", panic))).toBe("");
});

test.each<[string, unknown, string]>([
  ["said no", { code: 4001, message: "User rejected the request." }, "You declined in your wallet."],
  [
    "said no, in its node's words",
    { code: -32603, data: { code: 4001, message: "User denied transaction signature." } },
    "You declined in your wallet.",
  ],
  ["said no, ethers' way", { code: "ACTION_REJECTED", message: "user rejected action" }, "You declined in your wallet."],
  [
    "a request is open",
    { code: -32002, message: "Request of type 'wallet_requestPermissions' already pending" },
    "Your wallet waits for you.",
  ],
  [
    "a request is open, wrapped",
    { code: -32603, data: { originalError: { code: -32002, message: "already pending" } } },
    "Your wallet waits for you.",
  ],
  [
    "no money for gas",
    { code: -32603, data: { code: -32000, message: "insufficient funds for gas * price + value" } },
    "Not enough ETH for the network fee.",
  ],
  ["no money for gas, plainly", rpc(-32000, "insufficient funds for transfer"), "Not enough ETH for the network fee."],
  [
    "another came first",
    { code: -32603, data: { code: -32000, message: "nonce too low" } },
    "Another transaction of yours came first.",
  ],
  [
    "locked",
    { code: 4100, message: "The requested method and/or account has not been authorized by the user." },
    "Your wallet does not let this page act.",
  ],
  ["cannot", { code: 4200, message: "no" }, "Your wallet or node cannot do this."],
  ["no reason", { code: -32603, message: "Internal JSON-RPC error." }, "Your wallet or its node failed without saying why."],
  ["cut off", { code: 4900, message: "disconnected" }, "The node does not answer."],
  ["a browser's words", new TypeError("Failed to fetch"), "The node does not answer."],
  ["asked too often", new HttpRequestError({ url: "http://node", status: 429 }), "The node is asked too often."],
])("a wallet's error: %s", (_, error, title) => expect(explain(error).title).toBe(title));

test("what is looked for in the nesting", () => {
  expect(isUnknownNetwork({ code: 4902 })).toBe(true);
  expect(isUnknownNetwork({ code: -32603, data: { originalError: { code: 4902 } } })).toBe(true); // MetaMask for phones
  expect(isUnknownNetwork({ code: -32603, message: "Unrecognized chain ID" })).toBe(true);
  expect(isUnknownNetwork({ code: 4001 })).toBe(false);
  expect(
    isDeclined(
      new ContractFunctionExecutionError(new BaseError("x", { cause: { code: 4001 } as never }), {
        abi: [],
        functionName: "bet",
      }),
    ),
  ).toBe(true);
  expect(isNodeAway({ code: -32603 })).toBe(false);
});

test("errors that contain themselves come to an end, and the page's own are said as they are", () => {
  const error: { code: number; cause?: unknown } = { code: -32603 };
  error.cause = error;
  expect(explain(error).title).toBe("Your wallet or its node failed without saying why.");
  expect(explain(new Refusal("Say how much."))).toEqual({ title: "Say how much.", advice: "" });
  expect(explain("odd").title).toBe("odd");
});
