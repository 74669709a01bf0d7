import { zeroAddress } from "viem";
import { expect, test } from "vitest";
import { RawContractError } from "viem";
import { getContractError } from "viem/utils";
import { readList } from "../src/lib/money";
import { expectedLoss, oddsOf } from "../src/lib/markets";
import { canExpire, mayVote, proposable, whatDecides, wouldBe } from "../src/lib/resolution";
import { inMarkets, standings } from "../src/lib/standings";

const DAY = 86_400;
const DUE = 1_000_000;
const WAD = 10n ** 18n;
const EUR = 1_000_000n;
const nobody = { isCreator: false, isBettor: false, isProposer: false };
const creator = { ...nobody, isCreator: true };
const bettor = { ...nobody, isBettor: true };
const market = {
  status: "CLOSED" as const,
  outcome: undefined,
  closes_at: BigInt(DUE),
  expected_result_at: BigInt(DUE),
  early_refused: false,
  replaced: false,
  window_ends_at: 0n,
};
const ALL = ["YES", "NO", "INVALID"];

test.each<[string, object, typeof nobody, number, string[]]>([
  ["the creator, early", {}, creator, DUE - DAY, ALL],
  ["the creator, early, once refused", { early_refused: true }, creator, DUE - DAY, []],
  ["the creator when it is due, though refused before", { early_refused: true }, creator, DUE, ALL],
  ["the creator, betting still open", { status: "OPEN" }, creator, DUE - DAY, ALL],
  ["the creator after a week of silence", {}, creator, DUE + 7 * DAY, []],
  ["a bettor in the creator's day", {}, bettor, DUE + DAY - 1, []],
  ["a bettor after it", {}, bettor, DUE + DAY, ALL],
  ["a stranger", {}, nobody, DUE + DAY, []],
  ["before the referee has accepted", { status: "AWAITING" }, creator, DUE - DAY, []],
  [
    "the proposer, of a slip",
    { status: "PENDING", outcome: "NO", window_ends_at: BigInt(DUE + DAY) },
    { ...creator, isProposer: true },
    DUE,
    ["YES", "INVALID"],
  ],
  [
    "the proposer, twice",
    { status: "PENDING", outcome: "NO", replaced: true, window_ends_at: BigInt(DUE + DAY) },
    { ...creator, isProposer: true },
    DUE,
    [],
  ],
  [
    "the proposer, too late",
    { status: "PENDING", outcome: "NO", window_ends_at: BigInt(DUE) },
    { ...creator, isProposer: true },
    DUE,
    [],
  ],
  ["somebody else of a proposal", { status: "PENDING", outcome: "NO", window_ends_at: BigInt(DUE + DAY) }, creator, DUE, []],
  ["when it is disputed", { status: "DISPUTED", outcome: "NO" }, { ...creator, isProposer: true }, DUE, []],
])("who can propose what: %s", (_, change, who, now, outcomes) => {
  expect(proposable({ ...market, ...change }, who, now)).toEqual(outcomes);
});

test("who votes, and who can end what nobody moves on", () => {
  expect([creator, bettor, nobody, { ...bettor, isProposer: true }].map(mayVote)).toEqual([true, true, false, false]);
  expect([DUE - 1, DUE].map((now) => canExpire({ ...market, status: "AWAITING" }, now))).toEqual([false, true]);
  expect([DUE + 7 * DAY - 1, DUE + 7 * DAY].map((now) => canExpire(market, now))).toEqual([false, true]);
  expect(canExpire({ ...market, status: "PENDING" }, DUE + 30 * DAY)).toBe(false);
});

test("what decides is said with what silence and doubt mean", () => {
  const vote = whatDecides({ referee: zeroAddress }, () => "Ada").join(" ");
  expect(vote).toContain("more than half of all heads");
  expect(vote).toContain("In doubt every stake is paid back");
  const ruled = whatDecides({ referee: `0x${"ab".repeat(20)}` }, () => "Ada").join(" ");
  expect(ruled).toContain("the referee Ada rules within 48 hours");
  expect(ruled).toContain("If the referee is silent, every stake is paid back");
  expect(ruled).not.toContain("vote");
  for (const words of [vote, ruled]) expect(words).toContain("within 7 days, every stake is paid back");
  expect([undefined, "INVALID", "YES"].map((one) => wouldBe(one as never))).toEqual([
    "the proposal is refused, and the market waits for its result",
    "everybody is paid back",
    "it ends YES",
  ]);
});

test("odds are what a bet pays for each euro, and the loss on average is never shown too small", () => {
  const quote = { price: WAD / 2n, shares: (WAD * 19n) / 10n, priceAfter: 0n };
  expect(oddsOf(quote)).toBe((WAD * 19n) / 10n);
  expect(expectedLoss(quote)).toBe(50_000n);
  expect(expectedLoss({ ...quote, shares: quote.shares - 1n })).toBe(51_000n);
});

const refused = () =>
  Promise.reject(getContractError(new RawContractError({ data: "0x" }), { abi: [], args: [], functionName: "products" }));

test.each([0, 1, 8, 9])("a list of %i ends where the contract refuses", async (length) => {
  expect(await readList((number) => (number < length ? Promise.resolve(number) : refused()))).toHaveLength(length);
});
test("a node that fails is no end of a list", async () => {
  await expect(
    readList((number) => (number < 1n ? Promise.resolve(number) : Promise.reject(new TypeError("Failed to fetch")))),
  ).rejects.toThrow("fetch");
});

const [ANNA, BERT, CARL] = ["0xA", "0xB", "0xC"];
const entry = (account: string, kind: string, pot: bigint, amount: bigint) => ({ account, kind, pot, amount }) as never;
const bet = (market: bigint, account: string, side: "YES" | "NO", shares: bigint) => ({
  market,
  account,
  side,
  shares: shares * WAD,
  stake: EUR,
});
const put = (account: string, market: bigint) => entry(account, "BET_DEBIT", market, EUR);
const seed = (market: bigint) => entry(ANNA!, "DEPOSIT_SEED", market, 10n * EUR);

test("a running market is worth its present price to everybody in it, and nothing is lost or made", () => {
  const told = {
    markets: [{ id: 1n, creator: ANNA!, price: (WAD * 75n) / 100n }],
    bets: [bet(1n, BERT!, "YES", 2n), bet(1n, CARL!, "NO", 4n)],
    ended: new Map(),
    moved: [seed(1n), put(BERT!, 1n), put(CARL!, 1n)],
  };
  const list = standings(told);
  // 2 shares at 0.75, 4 at 0.25, and of 12 EUR in the pot what these leave.
  expect(list.map(({ account, profit, running }) => [account, profit, running])).toEqual([
    [BERT, -EUR, (EUR * 15n) / 10n],
    [CARL, -EUR, EUR],
    [ANNA, -10n * EUR, (EUR * 95n) / 10n],
  ]);
  expect(list.reduce((sum, { profit, running }) => sum + profit + running, 0n)).toBe(0n);
});

test("what is over and not claimed counts in full, what is claimed does not count twice, and shares round down", () => {
  const bets = [bet(1n, BERT!, "YES", 2n), bet(1n, CARL!, "NO", 4n), bet(2n, BERT!, "NO", 3n)];
  const markets = [1n, 2n].map((id) => ({ id, creator: ANNA!, price: WAD / 3n }));
  const moved = [seed(1n), seed(2n), ...bets.map(({ account, market }) => put(account, market))];
  const ended = new Map([
    [1n, "YES" as const],
    [2n, "INVALID" as const],
  ]);
  const told = { markets, bets, ended, moved };
  expect(Object.fromEntries(inMarkets(told))).toEqual({ [BERT!]: 3n * EUR, [CARL!]: 0n });
  const claimed = { ...told, moved: [...moved, entry(BERT!, "PAYOUT", 1n, 2n * EUR)] };
  expect(inMarkets(claimed).get(BERT!)).toBe(EUR);
  const [{ brier }] = standings(told).filter(({ account }) => account === CARL) as unknown as [{ brier: number }];
  expect(brier).toBeCloseTo((1 / 4) ** 2, 12); // of a NO at 1 / 4 where YES came
  const running = inMarkets({ ...told, ended: new Map() });
  expect(running.get(BERT!)).toBe(666_666n + 2_000_000n); // a third of 2 cut, and 3 at 2/3 cut
});
