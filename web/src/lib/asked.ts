// What a host asks a person to sign, and whether it is what the person chose.
import { hostedTypes } from "@tessera/abi";
import { type Address, zeroAddress } from "viem";
import { Refusal } from "./errors";
import { domainOf, isRecord, type OpenBet, type Place } from "./listings";

/** Seconds that a signed bet may be good for: an option of the host, worth what the event moves meanwhile. */
export const secondsOf = ({ kind }: Pick<OpenBet, "kind">) => (kind === "OddsBets" ? 20 : 60);
/** Two clocks, and a block's time, differ by some seconds. */
const CLOCKS = 10;

export type Chosen = {
  readonly bet: OpenBet;
  readonly account: Address;
  readonly prediction: number;
  readonly amount: bigint;
};

const NOTHING = "Nothing was signed.";

const DOMAIN = [
  { name: "name", type: "string" },
  { name: "version", type: "string" },
  { name: "chainId", type: "uint256" },
  { name: "verifyingContract", type: "address" },
] as const;

/** Everything but the nonce and the deadline, which are the host's to choose, and what a host does who asks for another. */
const OTHER = {
  account: "The host asks you to sign for another account than yours.",
  bet_id: "The host asks you to sign another bet than you chose.",
  prediction: "The host asks you to sign another prediction than you chose.",
  amount: "The host asks you to sign another stake than you chose.",
  min_confirmed: "The host asks you to sign that some of the stake must be confirmed at once, which you did not choose.",
  relayer: "The host asks you to let somebody else land your bet.",
} as const;

/** Values as text, the same whoever wrote them: numbers, hex in capitals and the order of fields make no difference. */
function plainly(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainly);
  if (isRecord(value))
    return Object.keys(value)
      .toSorted()
      .map((name) => [name, plainly(value[name])]);
  const text = String(value);
  return /^0x[0-9a-f]*$/i.test(text) ? text.toLowerCase() : text;
}

const isSame = (one: unknown, other: unknown) => JSON.stringify(plainly(one)) === JSON.stringify(plainly(other));

const number = (value: unknown): bigint | undefined =>
  typeof value === "string" && /^\d{1,78}$/.test(value) ? BigInt(value) : undefined;

/**
 * The bet to sign, made of what the person chose; of the host come its nonce and its deadline alone. `now` is the chain's
 * time, `used` says whether a nonce was signed before. Raises Refusal where the host asks for anything else.
 */
export function betToSign(told: unknown, chosen: Chosen, place: Place, now: number, used: (nonce: bigint) => boolean) {
  const { bet, account, prediction, amount } = chosen;
  const asked = isRecord(told) && isRecord(told.message) ? told.message : {};
  const [nonce, deadline] = [number(asked.nonce), number(asked.deadline)];
  const message = {
    account,
    bet_id: bet.id,
    prediction: BigInt(prediction),
    amount,
    min_confirmed: 0n,
    relayer: bet.listing.host,
    nonce: nonce ?? 0n,
    deadline: deadline ?? 0n,
  };
  for (const [name, refusal] of Object.entries(OTHER)) {
    if (!isSame(asked[name], message[name as keyof typeof OTHER])) throw new Refusal(`${refusal} ${NOTHING}`);
  }
  const typed = {
    domain: domainOf(bet.kind, place),
    types: { Bet: hostedTypes.Bet },
    primaryType: "Bet",
    message,
  } as const;
  if (
    nonce === undefined ||
    deadline === undefined ||
    !isSame(told, { ...typed, types: { EIP712Domain: DOMAIN, ...typed.types } })
  ) {
    throw new Refusal(`The host asks you to sign something else than a bet in Tessera's contract. ${NOTHING}`);
  }
  if (used(nonce)) throw new Refusal(`The host uses a number twice, so that only one of two bets would count. ${NOTHING}`);
  const seconds = secondsOf(bet);
  if (deadline > BigInt(now + seconds + CLOCKS)) {
    throw new Refusal(`The host wants your signature for longer than ${seconds} seconds. ${NOTHING}`);
  }
  if (deadline <= BigInt(now)) throw new Refusal(`The time to sign this bet is over. ${NOTHING} Try again.`);
  return typed;
}

/** The text to sign of a challenge (EIP-4361), with the account in it, where a host leaves it open. Raises Refusal where it is for
 * another host, chain or account, or is no challenge at all: whoever signs a text for somebody else lets the host be that
 * person there. */
export function signInText(told: string, domain: string, chainId: number, account: Address): string {
  const [host] = told.split(" ", 1);
  if (told.startsWith(`${host} wants you to sign in `) && host !== domain) {
    throw new Refusal(
      `This host calls itself ${host}, and you are connected to ${domain}. Nothing was signed. Connect to ${host} if you know it.`,
    );
  }
  const quoted = domain.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z`;
  const form = [
    `${quoted} wants you to sign in with your Ethereum account:`,
    `(?:${zeroAddress}|${account})`,
    "",
    String.raw`[\x20-\x7e]{0,200}`,
    "",
    String.raw`URI: https?://${quoted}/?`,
    "Version: 1",
    `Chain ID: ${chainId}`,
    "Nonce: [A-Za-z0-9]{8,}",
    `Issued At: ${time}`,
    `Expiration Time: ${time}`,
  ].join("\n");
  if (!new RegExp(`^${form}$`).test(told)) {
    throw new Refusal(`The host asks you to sign a text that is no sign-in for chain ${chainId}. Nothing was signed.`);
  }
  return told.replace(zeroAddress, account);
}

/** When a challenge is over, in milliseconds; never where it does not say. */
export function endOf(told: string): number {
  const end = Date.parse(/^Expiration Time: (.*)$/m.exec(told)?.[1] ?? "");
  return Number.isNaN(end) ? Infinity : end;
}
