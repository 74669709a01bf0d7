import {
  betTokenAbi,
  escrowAbi,
  lmsrMarketsAbi,
  panelsAbi,
  playEuroAbi,
  predictionEventsAbi,
  prizePoolAbi,
  stakingPoolAbi,
} from "@tessera/abi";
import {
  type Abi,
  type AbiEvent,
  type AbiParameter,
  encodeAbiParameters,
  type Hex,
  pad,
  parseEventLogs,
  toEventSelector,
} from "viem";
import { expect, test } from "vitest";
import { type RawLog, Rows } from "../src/lib/rows";

const CONTRACT: Hex = `0x${"aB".repeat(20)}`;
const ABIS = {
  betTokenAbi,
  escrowAbi,
  lmsrMarketsAbi,
  panelsAbi,
  playEuroAbi,
  predictionEventsAbi,
  prizePoolAbi,
  stakingPoolAbi,
};

/** Some value of a type that says where it stands. */
function value(type: AbiParameter, seed: number): unknown {
  if (type.type.endsWith("[]")) return [1, 2].map((part) => value({ ...type, type: type.type.slice(0, -2) }, seed + part));
  if (type.type === "tuple") {
    const { components } = type as unknown as { components: AbiParameter[] };
    return Object.fromEntries(components.map((part, index) => [part.name, value(part, seed + index)]));
  }
  if (type.type === "address") return pad(`0x${(seed + 0xabcdef).toString(16)}`, { size: 20 });
  if (type.type === "bool") return seed % 2 === 1;
  if (type.type === "bytes32") return pad(`0x${seed.toString(16)}`, { size: 32 });
  if (type.type === "string") return `text ${seed} ü`;
  return (1n << 200n) + BigInt(seed);
}

function logOf(event: AbiEvent, seed: number): RawLog {
  const values = event.inputs.map((input, index) => value(input, seed * 100 + index));
  const topics = event.inputs.flatMap((input, index) => (input.indexed ? [encodeAbiParameters([input], [values[index]])] : []));
  const rest = event.inputs.map((input, index) => ({ input, value: values[index] })).filter(({ input }) => !input.indexed);
  const data = encodeAbiParameters(
    rest.map(({ input }) => input),
    rest.map(({ value }) => value),
  );
  const transactionHash: Hex = pad(`0x${(seed + 1).toString(16)}`, { size: 32 });
  return {
    address: CONTRACT.toLowerCase() as Hex,
    topics: [toEventSelector(event), ...topics],
    data,
    blockNumber: "0x1",
    transactionHash,
  };
}

test.each(Object.entries(ABIS))("every event of %s is read as viem reads it", (_, abi) => {
  const events = (abi as Abi).filter((item): item is AbiEvent => item.type === "event");
  const logs = events.map(logOf);
  const rows = new Rows([{ address: CONTRACT, abi: abi as Abi }]);
  rows.add(logs);
  const expected = parseEventLogs({ abi: abi as Abi, logs: logs as never }) as unknown as { eventName: string; args: unknown }[];
  expect(expected).toHaveLength(events.length);
  for (const { eventName, args } of expected) {
    expect(rows.of(CONTRACT, eventName).map((row) => row.args)).toEqual([args]);
  }
});

const [bet] = lmsrMarketsAbi.filter((item) => item.type === "event" && item.name === "BetPlaced") as unknown as [AbiEvent];

test("rows are found by contract, name and first indexed value, and others are left out", () => {
  const rows = new Rows([{ address: CONTRACT, abi: lmsrMarketsAbi }]);
  const logs = [1, 2, 1].map((seed) => logOf(bet, seed));
  rows.add([...logs, { ...logs[0]!, address: `0x${"11".repeat(20)}` }, { ...logs[0]!, topics: [pad("0x1")] }]);
  expect(rows.of(CONTRACT, "BetPlaced")).toHaveLength(3);
  expect(rows.of(CONTRACT, "BetPlaced", logs[0]!.topics[1])).toHaveLength(2);
  expect(rows.of(CONTRACT, "MarketClosed")).toEqual([]);
  expect(rows.count(CONTRACT)).toBe(3);
  expect(rows.count(CONTRACT, { event: "MarketClosed" })).toBe(0);
  expect(rows.count(CONTRACT, { first: logs[1]!.topics[1] })).toBe(1);
});

test("what is there is not copied for what comes, and nothing is decoded that nobody asks for", () => {
  const rows = new Rows([{ address: CONTRACT, abi: lmsrMarketsAbi }]);
  rows.add([logOf(bet, 1)]);
  const before = rows.of(CONTRACT, "BetPlaced");
  let read = 0;
  const watched = new Proxy(logOf(bet, 2), {
    get: (log, name: keyof RawLog) => ((read += name === "data" ? 1 : 0), log[name]),
  });
  rows.add([watched]);
  expect(rows.of(CONTRACT, "BetPlaced")).toBe(before);
  expect(before).toHaveLength(2);
  expect(read).toBe(0);
  void before[1]!.args;
  void before[1]!.args;
  expect(read).toBe(1);
});
