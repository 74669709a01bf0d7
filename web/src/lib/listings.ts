// Listings of hosted bets: what a host signed, the id that is its hash, and what it means in money. Nothing that a host only
// says is shown: what cannot be checked against the id and the host's signature is refused.
import { hostedTypes, hostedVersion, prorataBetsAbi } from "@tessera/abi";
import {
  type Address,
  type ContractFunctionArgs,
  encodeAbiParameters,
  getAbiItem,
  getAddress,
  type Hex,
  isAddress,
  isHex,
  keccak256,
  size,
  verifyTypedData,
} from "viem";
import { Refusal } from "./errors";

export type Kind = "ProrataBets" | "OddsBets";

/** Money in units, times in unix seconds, profits in tenths of a percent, commissions in basis points. */
export type Listing = ContractFunctionArgs<typeof prorataBetsAbi, "nonpayable", "list_bet">[0];

/** A host's offer of a listing, or its leave for an account to bet in a private one; as contracts take them. */
export type HostSignature = { readonly expires_at: bigint; readonly signature: Hex };

/** Where hosted bets are on the page's chain. */
export type Place = { readonly chainId: number; readonly contracts: Record<Kind, Address> };

/** A bet that a host offers, checked. */
export type OpenBet = {
  /** In the host's file, by which it is chosen. */
  readonly number: number;
  readonly id: Hex;
  readonly kind: Kind;
  readonly listing: Listing;
  /** Unix seconds: as listed, or earlier where the host closed it. */
  readonly closesAt: number;
  /** In which it was listed; undefined: nobody has bet yet. */
  readonly transaction: Hex | undefined;
  readonly offer: HostSignature;
  /** Of use in a private bet; only the contract checks it. */
  readonly voucher: HostSignature;
};

const LISTING = getAbiItem({ abi: prorataBetsAbi, name: "list_bet" }).inputs[0];
const NO_LISTING = "The host describes a bet in a way that this page does not know.";

type Told = Record<string, unknown>;

export const isRecord = (value: unknown): value is Told => typeof value === "object" && value !== null && !Array.isArray(value);

const READ: Record<string, (value: unknown) => unknown> = {
  address: (value) => (typeof value === "string" && isAddress(value, { strict: false }) ? getAddress(value) : undefined),
  bytes32: (value) => (isHex(value) && size(value) === 32 ? value : undefined),
  string: (value) => (typeof value === "string" ? value : undefined),
  uint256: (value) => (typeof value === "string" && /^\d{1,78}$/.test(value) ? BigInt(value) : undefined),
  bool: (value) => (typeof value === "boolean" ? value : undefined),
};

function readAs(type: string, value: unknown): unknown {
  if (!type.endsWith("[]")) return READ[type]!(value);
  if (!Array.isArray(value) || value.length > 16) return undefined;
  const items = value.map((item) => readAs(type.slice(0, -2), item));
  return items.includes(undefined) ? undefined : items;
}

/** Whether a contract would take these numbers, whatever the host signed: what is shown and computed relies on their bounds. */
const isListable = (listing: Listing) =>
  listing.predictions.length >= 2 &&
  [0, listing.predictions.length].includes(listing.profits.length) &&
  listing.profits.every((profit) => profit > 0n && profit < 2n ** 16n) &&
  listing.min_stake > 0n &&
  listing.min_stake <= listing.max_stake &&
  listing.max_stake < 2n ** 84n &&
  listing.closes_at < 2n ** 32n &&
  listing.result_deadline < 2n ** 32n &&
  listing.host_bps <= 1_000n &&
  listing.validator_bps <= 1_000n;

/** A listing as frames have it. Raises Refusal where it is none. */
export function listingOf(told: unknown): Listing {
  if (!isRecord(told)) throw new Refusal(NO_LISTING);
  const fields = LISTING.components.map(({ name, type }) => [name, readAs(type, told[name])] as const);
  if (fields.some(([, value]) => value === undefined)) throw new Refusal(NO_LISTING);
  const listing = Object.fromEntries(fields) as unknown as Listing;
  if (!isListable(listing)) throw new Refusal(NO_LISTING);
  return listing;
}

/** The hash of the whole content, as the contracts compute it. */
export function betIdOf(listing: Listing): Hex {
  try {
    return keccak256(encodeAbiParameters([LISTING], [listing]));
  } catch {
    throw new Refusal(NO_LISTING); // a number that has no room
  }
}

export const kindOf = ({ profits }: Listing): Kind => (profits.length > 0 ? "OddsBets" : "ProrataBets");

/** EIP-712's domain of what is signed about a kind of bets. */
export const domainOf = (kind: Kind, { chainId, contracts }: Place) => ({
  name: `Tessera ${kind}`,
  version: hostedVersion,
  chainId,
  verifyingContract: contracts[kind],
});

/** An open bet of a frame. Raises Refusal where what the host shows is not what it signed, or is no bet of this chain. */
export async function checkedBet(told: unknown, place: Place): Promise<OpenBet> {
  if (!isRecord(told) || !Number.isSafeInteger(told.bet_id)) throw new Refusal(NO_LISTING);
  const listing = listingOf(told.listing);
  const [id, kind] = [betIdOf(listing), kindOf(listing)];
  if (told.onchain_id !== id) {
    throw new Refusal("The number of this bet is not that of its content: the host shows something else than you would sign.");
  }
  if (typeof told.contract !== "string" || told.contract.toLowerCase() !== place.contracts[kind].toLowerCase()) {
    throw new Refusal("This bet is in a contract that this page does not know.");
  }
  if (told.desc !== listing.description || told.predictions !== `[${listing.predictions.join(",")}]`) {
    throw new Refusal("The host describes this bet in other words than it signed.");
  }
  const offer = signatureOf(told.host_signature);
  if (!offer || !(await isSigned(offer, listing.host, kind, id, place))) {
    throw new Refusal("The host did not sign this bet.");
  }
  const [listed, shown] = [Number(listing.closes_at), Date.parse(String(told.time_lapse)) / 1000];
  return {
    number: told.bet_id as number,
    id,
    kind,
    listing,
    closesAt: shown < listed ? shown : listed,
    transaction: READ.bytes32!(told.tx) as Hex | undefined,
    offer,
    voucher: signatureOf(told.voucher) ?? NO_SIGNATURE,
  };
}

const NO_SIGNATURE: HostSignature = { expires_at: 0n, signature: "0x" };

function signatureOf(told: unknown): HostSignature | undefined {
  if (!isRecord(told) || !isHex(told.signature)) return undefined;
  const expires = READ.uint256!(told.expires_at) as bigint | undefined;
  return expires === undefined ? undefined : { expires_at: expires, signature: told.signature };
}

function isSigned(offer: HostSignature, host: Address, kind: Kind, id: Hex, place: Place): Promise<boolean> {
  return verifyTypedData({
    address: host,
    domain: domainOf(kind, place),
    types: hostedTypes,
    primaryType: "Offer",
    message: { bet_id: id, expires_at: offer.expires_at },
    signature: offer.signature,
  }).catch(() => false);
}

const WAD = 10n ** 18n;
const BPS = 10_000n;
const MILLE = 1_000n;

const up = (value: bigint, by: bigint) => (value + by - 1n) / by;

/** To the next thousandth of a euro: losses are never shown too small. */
const toMille = (units: bigint) => up(units, MILLE) * MILLE;

/** What one unit on a prediction is returned, profit included, in WAD. */
export const returnOf = (profit: bigint) => WAD + (profit * WAD) / MILLE;

/** What a stake at fixed odds pays if it wins; rounded down, as the contract does. */
export const paidAtOdds = (stake: bigint, profit: bigint) => stake + (stake * profit) / MILLE;

/** 1 / Σ 1 / (1 + p) in WAD: what odds return of a stake on average if they are as likely as they say; rounded down. */
function returned(profits: readonly bigint[]): bigint {
  return (WAD * WAD) / profits.reduce((sum, profit) => sum + up(WAD * MILLE, MILLE + profit), 0n);
}

/** The house's edge at fixed odds, WAD: what the host keeps of a balanced book, after the validators. Below 0 where it loses. */
export const edgeOf = ({ profits, validator_bps }: Listing) => WAD - returned(profits) - (validator_bps * WAD) / BPS;

/** What a stake at fixed odds loses on average if the odds are as likely as they say; rounded up to a thousandth of a euro. */
export function lossAtOdds(stake: bigint, { profits }: Listing): bigint {
  const loss = stake - (stake * returned(profits)) / WAD;
  return loss > 0n ? toMille(loss) : 0n;
}

/** A bet at odds as it stands: the bankroll, what is confirmed on each prediction, and how many tickets wait there. */
export type Cover = { readonly bankroll: bigint; readonly staked: readonly bigint[]; readonly waiting: readonly bigint[] };

/** How much of a stake is covered, so that it is confirmed when it is placed: nothing where somebody waits before. Each outcome
 * has to be paid with the validators' part, both rounded up, as in the contract; a stake on one never uncovers another. */
export function coveredAtOnce(listing: Listing, cover: Cover, prediction: number, stake: bigint): bigint {
  if (cover.waiting[prediction]) return 0n;
  const all = cover.staked.reduce((sum, amount) => sum + amount, 0n);
  const factor = MILLE + listing.profits[prediction]!;
  const covers = (more: bigint) =>
    up((cover.staked[prediction]! + more) * factor, MILLE) + up((all + more) * listing.validator_bps, BPS) <=
    all + more + cover.bankroll;
  let [low, high] = [0n, stake];
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    if (covers(middle)) low = middle;
    else high = middle - 1n;
  }
  return low;
}

/** What a stake in a pool would pay and lose on average, as the pool stands with it in: `pays` is rounded down as the contract
 * does, `loss` is up to a thousandth of a euro, if each prediction is as likely as its share of the pool. */
export function inPool(listing: Listing, staked: readonly bigint[], prediction: number, stake: bigint) {
  const all = staked.reduce((sum, amount) => sum + amount, stake);
  const won = staked[prediction]! + stake;
  const lost = all - won;
  const winnings = lost - (lost * listing.host_bps) / BPS - (lost * listing.validator_bps) / BPS;
  const pays = stake + (winnings * stake) / won;
  return { pays, loss: toMille(stake - (won * pays) / all) };
}

/** The most that a stake in a pool loses on average, whatever the pool becomes: its commissions. */
export const mostLossInPool = (stake: bigint, { host_bps, validator_bps }: Listing) =>
  toMille(up(stake * (host_bps + validator_bps), BPS));
