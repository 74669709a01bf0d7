// What a host shows is taken only as far as it is what it signed: ids, offers and bets are those of tests/vectors/hosted.json,
// which eth-abi and eth-account computed.
import { type Hex, recoverTypedDataAddress } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { expect, test } from "vitest";
import { socketUrls } from "../src/lib/address";
import { betToSign, endOf, signInText } from "../src/lib/asked";
import {
  betIdOf,
  checkedBet,
  coveredAtOnce,
  domainOf,
  edgeOf,
  inPool,
  type Kind,
  kindOf,
  listingOf,
  lossAtOdds,
  mostLossInPool,
  type OpenBet,
  paidAtOdds,
  type Place,
} from "../src/lib/listings";
import vectors from "../../tests/vectors/hosted.json";

const place: Place = { chainId: vectors.chain_id, contracts: vectors.contracts as Record<Kind, Hex> };
const player = privateKeyToAccount(vectors.player.key as Hex);
type Case = (typeof vectors.cases)[number];
const each = vectors.cases.map((one) => [one.name, one] as const);
const [pool, withOdds] = vectors.cases as [Case, Case];

/** An open bet as a frame has it. */
const frame = ({ listing, bet_id, offer, contract }: Case, changes: object = {}) => ({
  bet_id: 0,
  desc: listing.description,
  predictions: `[${listing.predictions.join(",")}]`,
  onchain_id: bet_id,
  time_lapse: new Date(Number(listing.closes_at) * 1000).toISOString(),
  contract: vectors.contracts[contract as Kind],
  tx: null,
  listing,
  host_signature: offer,
  ...changes,
});

/** The typed data as a host's node asks for it. */
const asked = ({ bet, contract }: Case, changes: object = {}, around: object = {}) => ({
  types: {
    EIP712Domain: [
      { name: "name", type: "string" },
      { name: "version", type: "string" },
      { name: "chainId", type: "uint256" },
      { name: "verifyingContract", type: "address" },
    ],
    Bet: ["account", "bet_id", "prediction", "amount", "min_confirmed", "relayer", "nonce", "deadline"].map((name) => ({
      name,
      type: { account: "address", relayer: "address", bet_id: "bytes32" }[name] ?? "uint256",
    })),
  },
  domain: domainOf(contract as Kind, place),
  primaryType: "Bet",
  message: { ...bet, ...changes },
  ...around,
});

const opened = async (one: Case): Promise<OpenBet> => checkedBet(frame(one), place);
const chosen = async (one: Case) => ({
  bet: await opened(one),
  account: player.address,
  prediction: 1,
  amount: BigInt(one.bet.amount),
});
const NOW = Number(pool.bet.deadline) - 20;
const unused = () => false;

test.each(each)("the id of a listing: %s", (_, one) => {
  const listing = listingOf(one.listing);
  expect(betIdOf(listing)).toBe(one.bet_id);
  expect(kindOf(listing)).toBe(one.contract);
});

test.each(each)("an open bet is taken as the host signed it: %s", async (_, one) => {
  const bet = await opened(one);
  expect(bet).toMatchObject({ number: 0, id: one.bet_id, closesAt: Number(one.listing.closes_at), transaction: undefined });
});

test("a host's leave to bet in a private bet is passed on as it is, and what is none is no leave", async () => {
  const voucher = { expires_at: "1900000000", signature: "0x5c1f" };
  const taken = await checkedBet(frame(pool, { voucher }), place);
  expect(taken.voucher).toEqual({ expires_at: 1_900_000_000n, signature: "0x5c1f" });
  expect(taken.offer).toEqual({ expires_at: BigInt(pool.offer.expires_at), signature: pool.offer.signature });
  for (const told of [null, "leave", { ...voucher, signature: "leave" }, { ...voucher, expires_at: -1 }]) {
    expect((await checkedBet(frame(pool, { voucher: told }), place)).voucher).toEqual({ expires_at: 0n, signature: "0x" });
  }
});

test("every change of a listing's content is noticed", async () => {
  const { listing } = withOdds;
  const changes: [string, unknown][] = [
    ["host", vectors.player.address],
    ["salt", `0x${"00".repeat(32)}`],
    ["description", "B wins on A"],
    ["predictions", listing.predictions.toReversed()],
    ["profits", ["801", "1100", "65535"]],
    ["is_private", true],
    ...["min_stake", "max_stake", "closes_at", "result_deadline", "panel_id", "host_bps", "validator_bps"].map(
      (name): [string, unknown] => [name, name === "max_stake" ? "77000000" : "77"],
    ),
  ];
  expect(changes.map(([name]) => name).toSorted()).toEqual(Object.keys(listing).toSorted());
  for (const [name, value] of changes) {
    const told = frame(withOdds, { listing: { ...listing, [name]: value } });
    await expect(checkedBet(told, place), name).rejects.toThrow("is not that of its content");
  }
});

test("an id that goes with a changed listing is not what the host signed", async () => {
  const listing = { ...pool.listing, validator_bps: "1000" };
  const told = frame(pool, { listing, onchain_id: betIdOf(listingOf(listing)) });
  await expect(checkedBet(told, place)).rejects.toThrow("The host did not sign this bet.");
});

test.each<[string, object, string]>([
  ["somebody else's signature", { host_signature: { ...pool.offer, signature: withOdds.offer.signature } }, "did not sign"],
  ["another time in the offer", { host_signature: { ...pool.offer, expires_at: "1" } }, "did not sign"],
  ["bytes that are no signature", { host_signature: { ...pool.offer, signature: "0x5c1f" } }, "did not sign"],
  ["no signature", { host_signature: null }, "did not sign"],
  ["another contract", { contract: vectors.contracts.OddsBets }, "a contract that this page does not know"],
  ["other words", { desc: "B wins on A" }, "in other words than it signed"],
  ["other predictions", { predictions: "[loss,win]" }, "in other words than it signed"],
  ["no listing", { listing: undefined }, "in a way that this page does not know"],
  ["a number that is none", { listing: { ...pool.listing, panel_id: "-1" } }, "in a way that this page does not know"],
  ["a number without room", { listing: { ...pool.listing, panel_id: "9".repeat(78) } }, "in a way that this page does not know"],
  ["no number of the bet", { bet_id: "0" }, "in a way that this page does not know"],
])("a host is refused that sends %s", async (_, changes, refusal) => {
  await expect(checkedBet(frame(pool, changes), place)).rejects.toThrow(refusal);
});

test.each<[string, Case, object]>([
  ["an end beyond any date", pool, { closes_at: String(2n ** 255n) }],
  ["a deadline beyond any date", pool, { result_deadline: String(2n ** 32n) }],
  ["no least stake", pool, { min_stake: "0" }],
  ["a least stake above the greatest", pool, { max_stake: "999999" }],
  ["too great a stake", pool, { max_stake: String(2n ** 84n) }],
  ["a host's commission over 10 %", pool, { host_bps: "1001" }],
  ["a validators' commission over 10 %", pool, { validator_bps: "1001" }],
  ["a profit of nothing", withOdds, { profits: ["0", "800", "1100"] }],
  ["too great a profit", withOdds, { profits: ["800", "1100", "65536"] }],
  ["a profit too few", withOdds, { profits: ["800", "1100"] }],
])("what no contract lists is refused, though its host may have signed it: %s", (_, { listing }, changes) => {
  expect(() => listingOf({ ...listing, ...changes })).toThrow("in a way that this page does not know");
});

test("a bet that its host closed early ends then, and never later than listed", async () => {
  const at = (time_lapse: unknown) => checkedBet(frame(pool, { time_lapse }), place).then(({ closesAt }) => closesAt);
  expect(await at("2026-12-01T00:00:00Z")).toBe(1_796_083_200);
  for (const later of ["2036-12-01T00:00:00Z", "soon", null]) expect(await at(later)).toBe(Number(pool.listing.closes_at));
});

test.each(each)("a bet that is asked for as it was chosen is signed as Python signs it: %s", async (_, one) => {
  const typed = betToSign(asked(one), await chosen(one), place, NOW, unused);
  const signature = await player.signTypedData(typed);
  expect(signature).toBe(one.signature);
  expect(await recoverTypedDataAddress({ ...typed, signature })).toBe(player.address);
});

test.each<[string, object, string]>([
  ["account", { account: vectors.contracts.OddsBets }, "for another account than yours"],
  ["bet", { bet_id: withOdds.bet_id }, "another bet than you chose"],
  ["prediction", { prediction: "0" }, "another prediction than you chose"],
  ["stake", { amount: "100000001" }, "another stake than you chose"],
  ["least confirmed", { min_confirmed: "1" }, "must be confirmed at once, which you did not choose"],
  ["relayer", { relayer: vectors.player.address }, "let somebody else land your bet"],
  ["nonce that is none", { nonce: "-1" }, "something else than a bet"],
  ["field more", { tip: "1" }, "something else than a bet"],
  ["deadline too far", { deadline: String(NOW + 71) }, "for longer than 60 seconds"],
  ["deadline that is over", { deadline: String(NOW) }, "is over"],
])("a host that asks for another %s is refused", async (_, changes, refusal) => {
  const about = await chosen(pool);
  expect(() => betToSign(asked(pool, changes), about, place, NOW, unused)).toThrow(refusal);
});

test.each<[string, object]>([
  ["chain", { domain: { ...domainOf("ProrataBets", place), chainId: 1 } }],
  ["contract", { domain: { ...domainOf("ProrataBets", place), verifyingContract: vectors.contracts.OddsBets } }],
  ["type", { primaryType: "Permit" }],
  ["field of the type", { types: { ...asked(pool).types, Bet: asked(pool).types.Bet.toReversed() } }],
])("a host that asks for a message of another %s is refused", async (_, around) => {
  const about = await chosen(pool);
  expect(() => betToSign(asked(pool, {}, around), about, place, NOW, unused)).toThrow("something else than a bet");
});

test("a bet at odds is good for a third of the time, and a number is signed once", async () => {
  const about = await chosen(withOdds);
  const until = (deadline: number) => () => betToSign(asked(withOdds, { deadline: String(deadline) }), about, place, NOW, unused);
  expect(until(NOW + 30)).not.toThrow();
  expect(until(NOW + 31)).toThrow("for longer than 20 seconds");
  expect(() => betToSign(asked(withOdds), about, place, NOW, (nonce) => nonce === BigInt(withOdds.bet.nonce))).toThrow("twice");
});

test.each([[null], ["text"], [{}], [{ message: null }], [[]]])("what is no typed data is refused: %j", async (told) => {
  const about = await chosen(pool);
  expect(() => betToSign(told, about, place, NOW, unused)).toThrow("Nothing was signed.");
});

const CHALLENGE =
  "127.0.0.1:8700 wants you to sign in with your Ethereum account:\n0x0000000000000000000000000000000000000000\n\n" +
  "Sign in to bet with this host. This costs nothing and moves no money.\n\nURI: http://127.0.0.1:8700\nVersion: 1\n" +
  "Chain ID: 31337\nNonce: 7hkQm2Vb9xT\nIssued At: 2026-12-01T10:00:00Z\nExpiration Time: 2026-12-01T10:10:00Z";
const signIn = (told: string, domain = "127.0.0.1:8700") => signInText(told, domain, 31337, player.address);

test("a challenge is signed with the account in its second line and nothing else changed", () => {
  const lines = signIn(CHALLENGE).split("\n");
  expect(lines[1]).toBe(player.address);
  lines[1] = "0x0000000000000000000000000000000000000000";
  expect(lines.join("\n")).toBe(CHALLENGE);
});

test.each<[string, string, string]>([
  ["another host", CHALLENGE.replaceAll("127.0.0.1:8700", "bank.example"), "This host calls itself bank.example"],
  ["another host in its address", CHALLENGE.replace("http://127.0.0.1:8700", "https://bank.example"), "no sign-in"],
  ["another chain", CHALLENGE.replace("Chain ID: 31337", "Chain ID: 1"), "no sign-in for chain 31337"],
  ["more lines", `${CHALLENGE}\nResources:\n- https://bank.example`, "no sign-in"],
  ["two lines where there is one", CHALLENGE.replace("this host.", "this host.\n"), "no sign-in"],
  ["an account of its own", CHALLENGE.replace("0x0000", "0x1111"), "no sign-in"],
  ["anything", "I owe you all my money.", "no sign-in"],
  ["nothing", "", "no sign-in"],
])("a text is not signed that is for %s", (_, told, refusal) => {
  expect(() => signIn(told)).toThrow(refusal);
});

test("a challenge says when it is over", () => {
  expect(endOf(CHALLENGE)).toBe(Date.UTC(2026, 11, 1, 10, 10));
  expect(endOf("I owe you all my money.")).toBe(Infinity);
});

test("the dots of a host's name are dots", () => {
  expect(() => signIn(CHALLENGE, "127x0.0.1:8700")).toThrow("calls itself 127.0.0.1:8700");
  expect(() =>
    signIn(CHALLENGE.replaceAll("127.0.0.1", "127x0y0z1").replace("127x0y0z1:8700 wants", "127.0.0.1:8700 wants")),
  ).toThrow("no sign-in");
});

test.each([
  ["bets.example", "wss://bets.example/"],
  [" ws://127.0.0.1:8700 ", "ws://127.0.0.1:8700/"],
  ["wss://bets.example/host", "wss://bets.example/host"],
  ["a.example, ws://b.example:1/ws\nc.example", "wss://a.example/", "ws://b.example:1/ws", "wss://c.example/"],
])("addresses that are typed: %s", (text, ...urls) => {
  expect(socketUrls(text).map(({ href }) => href)).toEqual(urls);
});

test.each([[""], ["  "], ["wss://"], ["a b:c"]])("what is no address: %j", (text) => {
  expect(() => socketUrls(text)).toThrow("Say where it is");
});

const EUR = 1_000_000n;
const odds = (profits: bigint[], validator_bps = 100n) => ({ ...listingOf(withOdds.listing), profits, validator_bps });

test("odds of 80 % and 110 % return 0.9692 of a stake on average, and lose the rest", () => {
  // 1 / (1 / 1.8 + 1 / 2.1) = 0.969230...
  expect(edgeOf(odds([800n, 1_100n])) / 10n ** 14n).toBe(207n); // and 0.01 for the validators
  expect(lossAtOdds(100n * EUR, odds([800n, 1_100n]))).toBe(3_077_000n);
  expect(paidAtOdds(100n * EUR, 800n)).toBe(180n * EUR);
  expect(paidAtOdds(1n, 1_100n)).toBe(2n); // rounded down
});

test("fair odds lose nothing, and odds that the house loses at do not lose less than nothing", () => {
  expect(edgeOf(odds([1_000n, 1_000n], 0n))).toBe(0n);
  expect(lossAtOdds(100n * EUR, odds([1_000n, 1_000n]))).toBe(0n);
  expect(edgeOf(odds([1_100n, 1_100n], 0n))).toBeLessThan(0n);
  expect(lossAtOdds(100n * EUR, odds([1_100n, 1_100n]))).toBe(0n);
});

test("what of a stake at odds is covered at once: as the contract confirms it, to the unit", () => {
  const listing = odds([800n, 1_100n], 100n);
  const empty = { bankroll: 0n, staked: [0n, 0n], waiting: [0n, 0n] };
  expect(coveredAtOnce(listing, empty, 0, EUR)).toBe(0n);
  // 0.81 of a unit for each: 4,938,271 * 1.8 + 49,383 = 4,938,271 + 4,000,000, with both products rounded up.
  expect(coveredAtOnce(listing, { ...empty, bankroll: 4n * EUR }, 0, 7n * EUR)).toBe(4_938_271n);
  expect(coveredAtOnce(listing, { ...empty, bankroll: 4n * EUR }, 0, 4_938_271n)).toBe(4_938_271n);
  // 20 on the other side lose where this one wins: (22 + 20 - 0.2) / 0.81, less a unit for rounding up.
  expect(coveredAtOnce(listing, { bankroll: 22n * EUR, staked: [0n, 20n * EUR], waiting: [0n, 0n] }, 0, 80n * EUR)).toBe(
    51_604_937n,
  );
  expect(coveredAtOnce(listing, { ...empty, bankroll: 100n * EUR, waiting: [1n, 0n] }, 0, EUR)).toBe(0n);
  expect(coveredAtOnce(listing, { ...empty, bankroll: 100n * EUR, waiting: [1n, 0n] }, 1, EUR)).toBe(EUR);
});

test("a pool pays as docs/hosted.md says, and loses its commissions of what others stake", () => {
  // 300 on true by others, 300 on false; 100 more on true: U1's part of the example.
  const listing = listingOf(pool.listing);
  const others = [700n * EUR, 300n * EUR];
  expect(inPool(listing, others, 0, 100n * EUR).pays).toBe(133_750_000n);
  // 8/11 of the pool with it: 100 - 8/11 * 133.75 = 2.7273
  expect(inPool(listing, others, 0, 100n * EUR).loss).toBe(2_728_000n);
  expect(mostLossInPool(100n * EUR, listing)).toBe(10n * EUR);
  expect(mostLossInPool(1n, listing)).toBe(1_000n);
});

test("who is alone in a pool gets the stake back, and loses nothing", () => {
  expect(inPool(listingOf(pool.listing), [0n, 0n], 1, 5n * EUR)).toEqual({ pays: 5n * EUR, loss: 0n });
});
