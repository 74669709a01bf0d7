// The page's side of a session: digests, heads and books of tests/vectors/sessions.json; which quotes are shown, which states signed.
import { expect, test } from "vitest";
import vectors from "../../tests/vectors/sessions.json";
import {
  bookKey,
  bookProof,
  bookRoot,
  checkQuestion,
  choiceText,
  digestOf,
  EMPTY,
  firstHead,
  fold,
  liabilityOf,
  limitText,
  lossOf,
  marginOf,
  nextHead,
  offerText,
  type OpenBet,
  type Place,
  type Question,
  type Quote,
  read,
  readLine,
  readOffer,
  shownWith,
  signerOf,
  successor,
  written,
} from "../src/lib/sessions";

const EUR = 1_000_000n;
const place = { chainId: vectors.chain_id, sessions: vectors.contract, panels: vectors.panels } as Place;
const hash = (digit: string) => `0x${digit.repeat(64)}` as const;

test.each(vectors.signed.filter(({ type }) => !["Offer", "Receipt", "Post"].includes(type)))("$name", async (item) => {
  const value = read<object>(item.type as "State", item.message);
  const session = (item.message as { session?: `0x${string}` }).session;
  const digest = digestOf(place, item.type as "State", value, session);
  expect(digest).toBe(item.digest);
  expect(await signerOf(digest, { r: BigInt(item.r), vs: BigInt(item.vs) })).toBe(vectors.signer.address);
  const twin = { r: BigInt(item.r), vs: BigInt(item.vs) | (2n ** 255n - 1n) };
  expect(await signerOf(digest, twin)).toBeUndefined();
  expect(read(item.type as "State", written(value))).toEqual(value);
});

test("an offer's id", () => {
  vectors.offers.forEach((offer, at) => expect(digestOf(place, "Offer", readOffer(offer))).toBe(vectors.signed[at]!.digest));
});

test("the heads of a record, and a book's key", () => {
  const { stream_id, lines, heads } = vectors.record;
  const found = [firstHead(place, BigInt(stream_id))];
  for (const line of lines) found.push(nextHead(found.at(-1)!, readLine(line)));
  expect(found).toEqual(heads);
  const { question, root, key } = vectors.book;
  expect(bookKey(question as `0x${string}`, root as `0x${string}`)).toBe(key);
});

test.each([1, 2, 3, 5, 8, 13])("a proof leads from each of %i leaves to the root", (count) => {
  const leaves = Array.from({ length: count }, (_, number) => hash(number.toString(16)));
  for (const leaf of leaves) {
    const led = bookProof(leaves, leaf).reduce((one, other) => bookRoot([one, other].toSorted())!, leaf);
    expect(led).toBe(bookRoot(leaves));
  }
  expect(bookRoot([])).toBeUndefined();
});

const quote: Quote = {
  stream_id: 3n,
  question: hash("a"),
  odds: [2_111n, 1_727n],
  greatest_liability: 5n * EUR,
  number: 4n,
  valid_until: 1n,
};
const cost = {
  chances_ppm: ["450000", "550000"],
  loss_ppm: ["50050", "50150"],
  gross_loss_ppm: ["550000", "450000"],
  margin_ppm: "50106",
  picture_delay_ms: "1500",
};

test("a quote is shown with its edge, its losses and the picture's delay", () => {
  const shown = shownWith(quote, cost);
  expect(shown.losses).toEqual([50_050n, 50_150n]);
  expect([shown.margin, shown.delayMs]).toEqual([marginOf(quote.odds), 1_500]);
});

test.each(Object.keys(cost))("there is no quote without its %s", (field) => {
  expect(() => shownWith(quote, { ...cost, [field]: undefined })).toThrow("nobody can bet");
});

test.each<[string, object]>([
  ["a loss", { loss_ppm: ["50049", "50150"] }],
  ["a loss before winnings", { gross_loss_ppm: ["549999", "450000"] }],
  ["the edge", { margin_ppm: "50105" }],
  ["the edge, not said at all", { margin_ppm: null }],
  ["chances, so that losses look small", { chances_ppm: ["460000", "550000"], loss_ppm: ["28940", "50150"] }],
])("there is no quote that understates %s", (_, change) => {
  expect(() => shownWith(quote, { ...cost, ...change })).toThrow("less than they do");
});

test("losses are rounded up, also where the player has the edge", () => {
  expect(lossOf(1_999n, 500_000n)).toBe(500n);
  expect(lossOf(1_727n, 550_001n)).toBe(50_149n); // 50,148.273
  expect(lossOf(2_001n, 500_001n)).toBe(-502n); // -502.001
});

const bet: OpenBet = {
  question: hash("a"),
  quote: hash("b"),
  lock: 1_000n,
  report_by: 2_000n,
  choice: 1n,
  stake: EUR,
  liability: liabilityOf(EUR, 1_900n),
};
const offer = readOffer({ ...vectors.offers[0], deposit: `${5n * EUR}`, loss_cap: `${3n * EUR}`, house_lock: `${4n * EUR}` });
const begun = { ...EMPTY, seq: 1n, activated: true };

test.each([
  ["won", 1n, 900_000n],
  ["lost", 0n, -EUR],
  ["none of the choices", 16n, -EUR],
  ["INVALID", 2n ** 256n - 1n, 0n],
  ["no result in time", null, 0n],
] as const)("a bet that is %s", (_, outcome, net) => {
  expect(fold({ ...begun, open_bets: [bet] }, new Map([[bet.question, outcome]]))).toEqual({ net, waiting: [] });
});

test.each<[string, object, object, bigint]>([
  ["before the activation", EMPTY, {}, 2n],
  ["with a number that was used", begun, {}, 1n],
  ["above the stake cap", begun, { stake: 6n * EUR }, 2n],
  ["that could lose more than the cap", { ...begun, net: -25n * 10n ** 5n }, {}, 2n],
  ["that could win more than the house locks", { ...begun, net: 32n * 10n ** 5n }, {}, 2n],
  ["that outlives the session", begun, { lock: 2n ** 60n }, 2n],
  ["that is the seventeenth", { ...begun, open_bets: Array(16).fill(bet) }, {}, 2n],
])("nothing is signed for a bet %s", (_, base, change, seq) => {
  const bets = new Map();
  expect(() => successor(offer, base as never, { ...bet, ...change }, bets, seq, 0n)).toThrow(/Nothing was signed/);
});

test("a state folds what is known and adds one bet", () => {
  const base = { ...begun, seq: 4n, open_bets: [bet, { ...bet, question: hash("c") }] };
  const next = successor(offer, base, { ...bet, question: hash("d") }, new Map([[hash("a"), 1n]]), 7n, 0n);
  expect([next.seq, next.prev, next.net]).toEqual([7n, 4n, 900_000n]);
  expect(next.open_bets.map(({ question }) => question)).toEqual([hash("c"), hash("d")]);
});

const question = (vectors.signed.find(({ type }) => type === "Question") as { message: unknown }).message;

test.each<[string, object]>([
  ["locks too late", { lock: "1800000010001" }],
  ["has one choice", { choices: [{ low: "0", high: "0" }] }],
  [
    "has choices that overlap",
    {
      choices: [
        { low: "0", high: "1" },
        { low: "1", high: "1" },
      ],
    },
  ],
  ["is over before it begins", { end: "1800000013000" }],
  ["is of no known kind", { kind: "4" }],
])("a question that %s is refused", (_, change) => {
  const asked = read<Question>("Question", question);
  expect(() => checkQuestion(asked)).not.toThrow();
  const other = read<Question>("Question", { ...(question as object), ...change });
  expect(() => checkQuestion(other)).toThrow("nobody should bet on");
});

test("choices in words", () => {
  const say = (kind: bigint, low: bigint, high = low) => choiceText({ kind } as Question, { low, high });
  expect([say(0n, 1n), say(0n, 0n), say(1n, 4n, 9n), say(1n, 3n)]).toEqual(["yes", "no", "4 to 9", "3"]);
  expect([say(2n, 0n, 20_000n), say(2n, 2n ** 256n - 1n), say(3n, 0x5242n)]).toEqual(["after 0 to 20 s", "never", "RB"]);
});

test("what a wallet signs to be offered a session, as the engine reads it", () => {
  expect(offerText(place, 3n, `0x${"Ab".repeat(20)}`, 20n, 5n, 6).split("\n")).toEqual([
    `Offer me a session on stream 3, whose bets 0x${"ab".repeat(20)} signs.`,
    "Deposit: 20",
    "Loss cap: 5",
    "This costs nothing and moves no money.",
    `Contract: ${vectors.contract.toLowerCase()}`,
    "Chain: 31337",
    "At: 6",
  ]);
});

test("what a wallet signs about its limits, as the engine reads it", () => {
  expect(limitText(place, 3n, "day_loss", 0n, 5).split("\n")).toEqual([
    "Change my day_loss on stream 3 to 0.",
    "This costs nothing and moves no money.",
    `Contract: ${vectors.contract.toLowerCase()}`,
    "Chain: 31337",
    "At: 5",
  ]);
  expect(limitText(place, 3n, "day_loss", undefined, 5)).toContain("to none.");
});
