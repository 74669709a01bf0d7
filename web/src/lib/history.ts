// Who tells what happened: the chain's logs, or where a deployment names one an event index. Either is asked only after
// the contracts have logged something of that kind.
import type { Address } from "viem";
import { chain } from "./chain.svelte";
import { whileSame } from "./follow";
import { fromIndex } from "./indexed";
import { fromLogs } from "./logs";
import type { MarketTerms, Source } from "./source";
import { named } from "./texts";

function told(): Source {
  const { indexUrl } = chain.deployment;
  return indexUrl ? fromIndex(new URL(indexUrl, chain.base).href) : fromLogs;
}

const by = (name: "LmsrMarkets" | "Escrow" | "PredictionEvents" | "PrizePool") => ({ by: chain.address(name) });

const readable = (terms: MarketTerms): MarketTerms => ({
  ...terms,
  question: named(terms.question, "(no question)"),
  yes: named(terms.yes, "(says nothing)"),
  no: named(terms.no, "(says nothing)"),
  rules: named(terms.rules, "(none)"),
  source: named(terms.source, "(none)"),
});

const kept: Source = {
  markets: () =>
    whileSame("markets", [{ ...by("LmsrMarkets"), event: "MarketCreated" }], async () => (await told().markets()).map(readable)),
  prices: (market) =>
    whileSame(`prices ${market}`, [{ ...by("LmsrMarkets"), event: "BetPlaced", first: market }], () => told().prices(market)),
  ledger: (account) => whileSame(`ledger ${account}`, [{ ...by("Escrow"), first: account }], () => told().ledger(account)),
  leaderboard: () =>
    whileSame("leaderboard", [by("Escrow"), { ...by("LmsrMarkets"), event: "MarketFinalized" }], () => told().leaderboard()),
  events: () =>
    whileSame("events", [{ ...by("PredictionEvents"), event: "EventCreated" }], async () =>
      (await told().events()).map((event) => ({
        ...event,
        description: named(event.description, "(no description)"),
        outcomes: event.outcomes.map((outcome, number) => named(outcome, `(outcome ${number + 1})`)),
      })),
    ),
  weeks: () => whileSame("weeks", [{ ...by("PrizePool"), event: "PeriodClosed" }], () => told().weeks()),
  prizes: (account: Address) =>
    whileSame(`prizes ${account}`, [{ ...by("PredictionEvents"), event: "Claimed" }], () => told().prizes(account)),
};

export const history = (): Source => kept;
