// Who may say how a market ended, when, and what is said about it before anybody bets.
import type { Address } from "viem";
import { BETTORS_WAIT, type Market, OUTCOME, SILENCE } from "./markets";
import type { OutcomeName } from "./outcomes";

export type Who = { readonly isCreator: boolean; readonly isBettor: boolean; readonly isProposer: boolean };
type Stage = Pick<Market, "status" | "expected_result_at" | "early_refused" | "replaced" | "window_ends_at" | "outcome">;

const ALL: readonly OutcomeName[] = ["YES", "NO", "INVALID"];

/** Whether there is a referee, and whether it is an account. */
export const hasReferee = ({ referee }: Pick<Market, "referee">) => BigInt(referee) !== 0n;

/** The outcomes that somebody can propose now: in place of a proposal of their own those that it is not. */
export function proposable(market: Stage, { isCreator, isBettor, isProposer }: Who, now: number): readonly OutcomeName[] {
  const due = Number(market.expected_result_at);
  if (market.status === "PENDING") {
    const may = isProposer && !market.replaced && now < Number(market.window_ends_at);
    return may ? ALL.filter((outcome) => outcome !== market.outcome) : [];
  }
  if (market.status !== "OPEN" && market.status !== "CLOSED") return [];
  if (now >= due + SILENCE) return [];
  if (isCreator) return now < due && market.early_refused ? [] : ALL;
  return isBettor && now >= due + BETTORS_WAIT ? ALL : [];
}

/** Whether somebody can complain about a proposal or vote on it: every bettor but the proposer, and the creator about a bettor's. */
export const mayVote = ({ isCreator, isBettor, isProposer }: Who) => !isProposer && (isBettor || isCreator);

/** Whether anybody can end a market that nobody moved on. */
export function canExpire(
  { status, closes_at, expected_result_at }: Pick<Market, "status" | "closes_at" | "expected_result_at">,
  now: number,
) {
  if (status === "AWAITING") return now >= Number(closes_at);
  return (status === "OPEN" || status === "CLOSED") && now >= Number(expected_result_at) + SILENCE;
}

/** What decides a market, in sentences for whoever thinks of betting. */
export function whatDecides(market: Pick<Market, "referee">, called: (account: Address) => string): string[] {
  return [
    "The creator says how it ended, and bettors may from a day after the result is expected.",
    hasReferee(market)
      ? `If somebody disputes that in time, the referee ${called(market.referee)} rules within 48 hours. If the referee is silent, every stake is paid back.`
      : "If somebody disputes that in time, bettors vote. The proposed result stands with more than half of all heads; another is paid only with more than two thirds of them and a quarter of the stakes. In doubt every stake is paid back.",
    "If nobody says how it ended within 7 days, every stake is paid back.",
  ];
}

/** What would be settled, in words. */
export const wouldBe = (conclusion: OutcomeName | undefined): string =>
  conclusion === undefined
    ? "the proposal is refused, and the market waits for its result"
    : conclusion === "INVALID"
      ? "everybody is paid back"
      : `it ends ${OUTCOME[conclusion]}`;
