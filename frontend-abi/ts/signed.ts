// Written by scripts/export_abi.py. Do not edit.

/** The version in the domains `Tessera ProrataBets` and `Tessera OddsBets`. */
export const hostedVersion = "1";

/** EIP-712 types of what is signed about hosted bets: by a player, by a host who offers a listing. */
export const hostedTypes = {
  "Bet": [{"name": "account", "type": "address"}, {"name": "bet_id", "type": "bytes32"}, {"name": "prediction", "type": "uint256"}, {"name": "amount", "type": "uint256"}, {"name": "min_confirmed", "type": "uint256"}, {"name": "relayer", "type": "address"}, {"name": "nonce", "type": "uint256"}, {"name": "deadline", "type": "uint256"}],
  "Offer": [{"name": "bet_id", "type": "bytes32"}, {"name": "expires_at", "type": "uint256"}]
} as const;

/** The domain of sessions, less chainId and verifyingContract (MicroSessions). */
export const sessionsDomain = {"name": "Tessera MicroSessions", "version": "1"} as const;

/** EIP-712 types of what is signed about sessions. */
export const sessionTypes = {
  "Offer": [{"name": "player_word", "type": "uint256"}, {"name": "session_word", "type": "uint256"}, {"name": "house_word", "type": "uint256"}, {"name": "caps_word", "type": "uint256"}, {"name": "times_word", "type": "uint256"}],
  "OpenBet": [{"name": "question", "type": "bytes32"}, {"name": "quote", "type": "bytes32"}, {"name": "lock", "type": "uint256"}, {"name": "report_by", "type": "uint256"}, {"name": "choice", "type": "uint256"}, {"name": "stake", "type": "uint256"}, {"name": "liability", "type": "uint256"}],
  "State": [{"name": "session", "type": "bytes32"}, {"name": "seq", "type": "uint256"}, {"name": "prev", "type": "uint256"}, {"name": "net", "type": "int256"}, {"name": "activated", "type": "bool"}, {"name": "open_bets", "type": "OpenBet[]"}],
  "Receipt": [{"name": "state", "type": "bytes32"}, {"name": "stream_id", "type": "uint256"}, {"name": "n", "type": "uint256"}, {"name": "epoch", "type": "uint256"}, {"name": "head", "type": "bytes32"}],
  "Close": [{"name": "session", "type": "bytes32"}, {"name": "net", "type": "int256"}, {"name": "activated", "type": "bool"}, {"name": "valid_until", "type": "uint256"}],
  "Post": [{"name": "session", "type": "bytes32"}, {"name": "state", "type": "bytes32"}, {"name": "valid_until", "type": "uint256"}],
  "Choice": [{"name": "low", "type": "uint256"}, {"name": "high", "type": "uint256"}],
  "Question": [{"name": "kind", "type": "uint256"}, {"name": "stream_id", "type": "uint256"}, {"name": "text", "type": "string"}, {"name": "lock", "type": "uint256"}, {"name": "start", "type": "uint256"}, {"name": "end", "type": "uint256"}, {"name": "report_by", "type": "uint256"}, {"name": "symbols", "type": "uint256"}, {"name": "choices", "type": "Choice[]"}],
  "Quote": [{"name": "stream_id", "type": "uint256"}, {"name": "question", "type": "bytes32"}, {"name": "odds", "type": "uint256[]"}, {"name": "greatest_liability", "type": "uint256"}, {"name": "number", "type": "uint256"}, {"name": "valid_until", "type": "uint256"}],
  "Book": [{"name": "question", "type": "bytes32"}, {"name": "stream_id", "type": "uint256"}, {"name": "root", "type": "bytes32"}, {"name": "n", "type": "uint256"}, {"name": "head", "type": "bytes32"}],
  "Refusal": [{"name": "state", "type": "bytes32"}, {"name": "stream_id", "type": "uint256"}, {"name": "code", "type": "uint256"}, {"name": "refused_at", "type": "uint256"}]
} as const;

/** The domain of reports, less chainId and verifyingContract (Panels). */
export const reportsDomain = {"name": "Tessera Panels", "version": "1"} as const;

/** EIP-712 type of what observers report to Panels: results, and books as outcome 1. */
export const reportTypes = {
  "Report": [{"name": "panel_id", "type": "uint256"}, {"name": "product", "type": "address"}, {"name": "key", "type": "bytes32"}, {"name": "not_before", "type": "uint256"}, {"name": "deadline", "type": "uint256"}, {"name": "outcome", "type": "uint256"}]
} as const;

/** A stream's head is keccak256 of these, ABI-encoded: the first one, then one for each line. */
export const firstHeadFields = [
  {"name": "chain_id", "type": "uint256"},
  {"name": "contract", "type": "address"},
  {"name": "stream_id", "type": "uint256"}
] as const;
export const headFields = [
  {"name": "head", "type": "bytes32"},
  {"name": "n", "type": "uint256"},
  {"name": "kind", "type": "uint256"},
  {"name": "epoch", "type": "uint256"},
  {"name": "question", "type": "bytes32"},
  {"name": "leaf", "type": "bytes32"}
] as const;

/** Where an offer's terms are in its words. */
export const offerLayout = [
  {"word": "player_word", "field": "player", "shift": 96, "bits": 160},
  {"word": "player_word", "field": "deposit", "shift": 0, "bits": 96},
  {"word": "session_word", "field": "session_key", "shift": 96, "bits": 160},
  {"word": "session_word", "field": "activation", "shift": 0, "bits": 96},
  {"word": "house_word", "field": "house_key", "shift": 96, "bits": 160},
  {"word": "house_word", "field": "house_lock", "shift": 0, "bits": 96},
  {"word": "caps_word", "field": "stream_id", "shift": 192, "bits": 64},
  {"word": "caps_word", "field": "stake_cap", "shift": 96, "bits": 96},
  {"word": "caps_word", "field": "loss_cap", "shift": 0, "bits": 96},
  {"word": "times_word", "field": "salt", "shift": 128, "bits": 128},
  {"word": "times_word", "field": "expires_at", "shift": 64, "bits": 64},
  {"word": "times_word", "field": "valid_until", "shift": 0, "bits": 64}
] as const;

type OfferWords = { [word in (typeof offerLayout)[number]["word"]]: bigint };

/** An offer's terms: addresses as 0x hex, everything else a number. */
export type OfferTerms = { readonly [field in (typeof offerLayout)[number]["field"]]: bigint | `0x${string}` };

/** The words of an offer, as the contract takes them and the operator signs them. Throws where a number has no room. */
export function packOffer(terms: OfferTerms): OfferWords {
  const words: OfferWords = { player_word: 0n, session_word: 0n, house_word: 0n, caps_word: 0n, times_word: 0n };
  for (const { word, field, shift, bits } of offerLayout) {
    const value = BigInt(terms[field]);
    if (value < 0n || value >> BigInt(bits) !== 0n) throw new RangeError(`an offer's ${field} has ${bits} bits`);
    words[word] |= value << BigInt(shift);
  }
  return words;
}

/** The terms of an offer; addresses in lower case. */
export function unpackOffer(words: OfferWords): OfferTerms {
  const terms = offerLayout.map(({ word, field, shift, bits }) => {
    const value = (words[word] >> BigInt(shift)) & ((1n << BigInt(bits)) - 1n);
    return [field, bits === 160 ? `0x${value.toString(16).padStart(40, "0")}` : value];
  });
  return Object.fromEntries(terms) as OfferTerms;
}
