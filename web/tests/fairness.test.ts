// The figures of a stream's fairness, as people read them.
import { expect, test } from "vitest";
import { Refusal } from "../src/lib/errors";
import { filesAt, readFairness, shareText, shortTime, takenText, timesText } from "../src/lib/fairness";

const NONE = { p50: null, p99: null, most: null };
const FRAME = {
  type: "fairness",
  accepted: "1203",
  refused: "17",
  acceptance_ppm: "986065",
  refusals: { stake: "5", quote_expired: "11", "<b>": "1" },
  receipt_us: { p50: "2400", p99: "8100", most: "1300000" },
  refusal_us: NONE,
  picture_delay_ms: "1500",
  questions: "40",
  quotes: "900",
  books: "39",
  books_confirmed: "38",
  results: "37",
  results_missing: "1",
  epochs: "2",
  since: "1800000000000",
  covered_ms: "7200000",
};

test("the most frequent refusal comes first", () => {
  const figures = readFairness(FRAME);
  expect(figures.refusals).toEqual([
    ["quote expired", 11n],
    ["stake", 5n],
    ["<b>", 1n],
  ]);
  expect(shareText(11n, figures)).toBe("0.90\u00a0%");
});

test("figures in words", () => {
  const figures = readFairness(FRAME);
  expect(takenText(figures)).toBe("1,203 of 1,220 (98.61\u00a0%)");
  expect(timesText(figures.receipts)).toBe("half within 2.4\u00a0ms, 99\u00a0% within 8.1\u00a0ms, the slowest 1.3\u00a0s");
  expect(timesText(figures.refusalTimes)).toBe("none yet");
});

test("before anybody has bet", () => {
  const quiet = { ...FRAME, accepted: "0", refused: "0", acceptance_ppm: null, refusals: {}, receipt_us: NONE, since: null };
  const figures = readFairness(quiet);
  expect(takenText(figures)).toBe("nobody has asked yet");
  expect([figures.since, figures.receipts, figures.refusals]).toEqual([undefined, undefined, []]);
});

test.each(["accepted", "receipt_us", "picture_delay_ms", "refusal_us", "epochs"])("a frame without %s is refused", (name) => {
  expect(() => readFairness({ ...FRAME, [name]: undefined })).toThrow(Refusal);
});

test.each([
  [0n, "0\u00a0µs"],
  [999n, "999\u00a0µs"],
  [1_000n, "1.0\u00a0ms"],
  [1_001n, "1.1\u00a0ms"], // up: nothing looks faster than it was
  [1_500_000n, "1.5\u00a0s"],
  [9_999_950_000n, "10,000.0\u00a0s"],
])("%s microseconds", (us, text) => expect(shortTime(us)).toBe(text));

test.each([
  ["ws://127.0.0.1:8800/ws", "/files/", "http://127.0.0.1:8800/files/"],
  ["wss://live.example/ws", "/files/", "https://live.example/files/"],
  ["wss://live.example/ws", "https://files.example/3", "https://files.example/3/"],
  ["wss://live.example/ws", null, undefined],
  ["wss://live.example/ws", "javascript:alert(1)//", undefined],
  ["wss://live.example/ws", "http://[", undefined],
])("%s has its files at %s", (engine, files, url) => expect(filesAt(new URL(engine), files)).toBe(url));
