import { expect, test, vi } from "vitest";
import { Heard } from "../src/lib/events";
import { nearest } from "../src/lib/focus";
import { Kept } from "../src/lib/kept";
import { permitOf } from "../src/lib/signatures";
import { named, plain } from "../src/lib/texts";
import { Keeping, myTurn, type Turn } from "../src/lib/turn";

const R = `${"12".repeat(31)}34`;
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const low = "34".repeat(32);
const high = (ORDER - BigInt(`0x${low}`)).toString(16).padStart(64, "0");

test.each<[string, string, { v: number; s: string } | undefined]>([
  ["65 bytes, v 27", `0x${R}${low}1b`, { v: 27, s: low }],
  ["65 bytes, v 28", `0x${R}${low}1c`, { v: 28, s: low }],
  ["hardware wallets, v 0", `0x${R}${low}00`, { v: 27, s: low }],
  ["hardware wallets, v 1", `0x${R}${low}01`, { v: 28, s: low }],
  ["EIP-2098, even", `0x${R}${low}`, { v: 27, s: low }],
  ["EIP-2098, odd", `0x${R}b4${low.slice(2)}`, { v: 28, s: low }],
  ["a high s, which tokens refuse", `0x${R}${high}1b`, { v: 28, s: low }],
  ["a wallet that is a contract", `0x${"00".repeat(96)}`, undefined],
  ["nothing", "0x", undefined],
  ["no bytes", "signature", undefined],
  ["another v", `0x${R}${low}25`, undefined],
])("a permit of a signature: %s", (_, signature, expected) => {
  expect(permitOf(signature, 5n)).toEqual(expected && { deadline: 5n, v: expected.v, r: `0x${R}`, s: `0x${expected.s}` });
});

test("an answer is asked for once until its version is another, and a failure again", async () => {
  const kept = new Kept();
  const read = vi.fn(async () => "answer");
  expect(await Promise.all([kept.get("a", "1", read), kept.get("a", "1", read)])).toEqual(["answer", "answer"]);
  expect(read).toHaveBeenCalledTimes(1);
  await kept.get("a", "2", read);
  await kept.get("b", "2", read);
  expect(read).toHaveBeenCalledTimes(3);
  const fails = vi.fn(async () => Promise.reject(new Error("away")));
  await expect(kept.get("a", "3", fails)).rejects.toThrow("away");
  await expect(kept.get("a", "3", fails)).rejects.toThrow("away");
  expect(fails).toHaveBeenCalledTimes(2);
});

test("texts of strangers hide and turn nothing", () => {
  expect(plain("safe \u202egnp.exe\u202c")).toBe("safe [U+202E]gnp.exe[U+202C]");
  expect(plain("\u001b[31mred\u0007\u007f")).toBe("\u241b[31mred\u2407\u2421");
  expect(plain("a\u200bb\u2066c\ufeff\u009b\u{e0041}")).toBe("a[U+200B]b[U+2066]c[U+FEFF][U+009B][U+E0041]");
  expect(plain("Grüße, 👩‍👩‍👧 עברית نص\nline\ttab")).toBe("Grüße, 👩‍👩‍👧 עברית نص\nline\ttab");
});

test.each(["", "   ", "\n\t", "\u200b\u2060", "\u3164", "\u00a0\u2800", "\u200e\u202e"])(
  "a blank question has a name: %j",
  (text) => {
    expect(named(text, "(no question)")).toBe("(no question)");
  },
);
test("what can be seen is kept", () => expect(named(" Snow? ", "(no question)")).toBe(" Snow? "));

const quiet = () => {};

const noTurns = async () => undefined;
const never = new AbortController().signal;

test("a bet waits for its turn and goes as soon as it comes", async () => {
  let left = 3;
  const said: string[] = [];
  await myTurn(
    noTurns,
    () => left,
    () => true,
    (stage) => said.push(stage),
    never,
    async () => void (left -= 1),
  );
  expect(said).toEqual([3, 2, 1].map((seconds) => `your bet waits for its turn: ${seconds} s`));
});

/** Asks for turns in a row, on a clock that goes on with each wait; what was said, and how often it was asked. */
async function inLine(...turns: (Turn | undefined)[]) {
  let [now, asked] = [0, 0];
  const said: string[] = [];
  await myTurn(
    async () => turns[Math.min(asked++, turns.length - 1)],
    () => 0,
    () => true,
    (stage) => said.push(stage.replace("your bet waits for its turn: ", "")),
    never,
    async (ms) => void (now += ms),
    () => now,
  );
  return { said, asked, seconds: now / 1000 };
}

test("who is first sends without asking again", async () =>
  expect(await inLine({ place: 0, seconds: 0 })).toEqual({ said: [], asked: 1, seconds: 0 }));

test("whoever is before and slow is waited for, as long as the club's node does", async () => {
  const { said, asked, seconds } = await inLine(
    { place: 1, seconds: 1 },
    { place: 1, seconds: 0 },
    { place: 1, seconds: 0 },
    { place: 0, seconds: 0 },
  );
  expect([asked, seconds]).toEqual([4, 3]);
  expect(said).toEqual(["1 s, 1 before you", "1 s, 1 before you", "0 s, 1 before you", "0 s, 1 before you"]);
});

test("who was too slow waits for another turn, and nobody for a node that gives none any more", async () => {
  const late = await inLine({ place: 1, seconds: 0.5 }, { place: 2, seconds: 1 }, { place: 0, seconds: 0 });
  expect([late.asked, late.seconds]).toEqual([3, 1.5]);
  expect((await inLine({ place: 1, seconds: 0.5 }, undefined)).seconds).toBe(0.5);
});

test("a bet that waited while the price moved is not sent", async () => {
  let waited = 0;
  const holds = () => waited < 2;
  await expect(
    myTurn(
      noTurns,
      () => 9,
      holds,
      quiet,
      never,
      async () => void (waited += 1),
    ),
  ).rejects.toThrow("Nothing was sent");
  await expect(
    myTurn(
      noTurns,
      () => 0,
      () => false,
      quiet,
      never,
    ),
  ).rejects.toThrow("The price has moved");
});

test("a bet that waits can be called off", async () => {
  const control = new AbortController();
  await expect(
    myTurn(
      noTurns,
      () => 9,
      () => true,
      quiet,
      control.signal,
      async () => control.abort(),
    ),
  ).rejects.toThrow("You called it off");
});

test("a turn that is kept is given back only when nothing that keeps it is under way", async () => {
  vi.useFakeTimers();
  const [keeping, answers] = [new Keeping(), [] as (() => void)[]];
  const ask = vi.fn(() => new Promise<void>((answer) => answers.push(answer)));
  keeping.start(ask);
  keeping.start(ask); // tried again: still once in four seconds
  await vi.advanceTimersByTimeAsync(8_000);
  expect(ask).toHaveBeenCalledTimes(2);
  let isStopped = false;
  const stopped = keeping.stop().then(() => (isStopped = true));
  await vi.advanceTimersByTimeAsync(60_000);
  expect([isStopped, ask.mock.calls.length]).toEqual([false, 2]);
  for (const answer of answers) answer();
  await stopped;
  vi.useRealTimers();
});

const told = (block_hash: string, after: string | null, isQuiet = true, block_time = 100) => ({
  block_hash,
  block_time,
  after,
  quiet: isQuiet,
});

test("a block in which nothing happened is no news to who heard of all before it", () => {
  const heard = new Heard();
  expect(heard.isNews(told("a", null), 100)).toBe(true);
  expect(heard.isNews(told("b", "a"), 100)).toBe(false);
  expect(heard.isNews(told("c", "b", false), 100)).toBe(true);
  expect(heard.isNews(told("e", "d"), 100)).toBe(true); // something was missed
  expect(heard.isNews(told("f", "e"), 100)).toBe(false);
  expect(heard.isNews(told("g", "f", true, 106), 100)).toBe(true); // the chain's clock is ahead
});

test("the focus goes to the nearest thing that is left", () => {
  const [gone, card, main] = [false, true, true].map((isConnected) => ({ isConnected }));
  expect(nearest([gone!, card!, main!])).toBe(card);
  expect(nearest([gone!])).toBeUndefined();
});

test("signs that are heaped on one letter end at four: a question reaches into no other one, nor over the odds", () => {
  const heap = "\u0336\u0300\u0301\u0302";
  expect(plain(`Snow${heap.repeat(30)}?`)).toBe(`Snow${heap}…?`);
  for (const word of ["n\u0303", "ש\u05c1\u05b8", "กี่", "हिन्दी", "👍🏽", "1\ufe0f\u20e3", "Việt"]) expect(plain(word)).toBe(word);
});
