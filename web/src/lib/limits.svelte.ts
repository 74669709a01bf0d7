// A person's own limit on stakes a day. It is kept in this browser alone: tighter at once, looser after a day.
import type { Address } from "viem";
import { chain } from "./chain.svelte";
import { Refusal } from "./errors";
import { eur } from "./format";
import { putInSince } from "./money";
import { keep, recall } from "./remembered";

export const DAY = 86_400;

type Stored = { readonly limit: string | null; readonly next?: { readonly limit: string | null; readonly from: number } };

const keyOf = (account: Address) => `limit.${account}`;

class Limits {
  #version = $state(0);

  /** EUR units a day now, undefined: none; and what was chosen for later. */
  of(account: Address): { limit: bigint | undefined; next?: { limit: bigint | undefined; from: number } } {
    void this.#version;
    const { limit, next } = recall<Stored>(keyOf(account)) ?? { limit: null };
    if (next && chain.now >= next.from) return { limit: parse(next.limit) };
    return { limit: parse(limit), ...(next && { next: { limit: parse(next.limit), from: next.from } }) };
  }

  /** Sets the limit; undefined takes it away. What is looser than now begins in a day. Raises Refusal where the browser keeps nothing. */
  set(account: Address, limit: bigint | undefined) {
    const now = this.of(account).limit;
    const tighter = limit !== undefined && (now === undefined || limit <= now);
    const stored: Stored = tighter
      ? { limit: text(limit) }
      : { limit: text(now), next: { limit: text(limit), from: chain.now + DAY } };
    keep(keyOf(account), now === undefined && limit === undefined ? { limit: null } : stored);
    this.#version += 1;
  }

  /** Raises where one more stake would pass the person's own limit; `pending` is what was signed and may still be staked. */
  async check(account: Address, stake: bigint, pending = 0n) {
    const { limit } = this.of(account);
    if (limit === undefined) return;
    const spent = (await putInSince(account, chain.now - DAY)) + pending;
    if (spent + stake > limit) {
      throw new Refusal(
        `This would pass your own limit of ${eur(limit)} a day: ${eur(spent)} went into bets in the last 24 hours.`,
      );
    }
  }
}

const parse = (limit: string | null) => (limit === null ? undefined : BigInt(limit));
const text = (limit: bigint | undefined) => (limit === undefined ? null : limit.toString());

export const limits = new Limits();
