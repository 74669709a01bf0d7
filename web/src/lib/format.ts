// Every number a person reads is written here, with its unit. Amounts are cut, never rounded up.
import type { Address } from "viem";

export const EUR = 1_000_000n;
export const WAD = 10n ** 18n;

/** Between a number and its unit, so that no line ends there. */
const TO = "\u00a0";

/** `amount` in units of 10^-decimals, cut to `places`: "1,234.50". */
export function amount(value: bigint, decimals: number, places = 2): string {
  const cut = value < 0n ? -value : value;
  const scaled = decimals > places ? cut / 10n ** BigInt(decimals - places) : cut * 10n ** BigInt(places - decimals);
  const whole = (scaled / 10n ** BigInt(places)).toLocaleString("en");
  const rest = places === 0 ? "" : `.${(scaled % 10n ** BigInt(places)).toString().padStart(places, "0")}`;
  return `${value < 0n && scaled !== 0n ? "−" : ""}${whole}${rest}`;
}

/** An amount of a token: "12.34 USDC". */
export const coins = (units: bigint, { decimals, symbol }: { decimals: number; symbol: string }) =>
  `${amount(units, decimals)}${TO}${symbol}`;

export const eur = (value: bigint) => `${amount(value, 6)}${TO}EUR`;
export const usd = (value: bigint) => `${amount(value, 6)}${TO}USD`;

/** Three places where a cent would hide the number. */
export const eurFine = (value: bigint) => `${amount(value, 6, 3)}${TO}EUR`;

/** With its sign, for gains and losses. */
export const gain = (value: bigint) => `${value > 0n ? "+" : ""}${eur(value)}`;

export const bet = (wad: bigint) => `${amount(wad, 18)}${TO}BET`;
export const shares = (wad: bigint) => `${amount(wad, 18)}${TO}shares`;

export function odds(wad: bigint): string {
  return wad > 10n ** 24n ? "over 1,000,000" : amount(wad, 18);
}

/** A probability or share in WAD, rounded to a tenth so that two sides add up: "62.0 %". */
export const percent = (wad: bigint) => `${amount(wad + 5n * 10n ** 14n, 16, 1)}${TO}%`;

/** A fraction as a number: "5.2 %". */
export const rate = (fraction: number) =>
  `${fraction.toLocaleString("en", { style: "percent", minimumFractionDigits: 2, maximumFractionDigits: 2 }).replace("%", "")}${TO}%`;

export const short = (address: Address | string) => `${address.slice(0, 6)}…${address.slice(-4)}`;

const dates = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
export const date = (seconds: bigint | number) => dates.format(Number(seconds) * 1000).replace(/(?<!,) /g, TO);

/** A length of time in its two largest units: "2 d 3 h", "5 s". */
export function span(seconds: number): string {
  const left = Math.max(0, Math.floor(seconds));
  const units: [number, string][] = [
    [Math.floor(left / 86_400), "d"],
    [Math.floor(left / 3600) % 24, "h"],
    [Math.floor(left / 60) % 60, "min"],
    [left % 60, "s"],
  ];
  const first = units.findIndex(([count]) => count > 0);
  if (first === -1) return `0${TO}s`;
  return units
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${TO}${unit}`)
    .join(TO);
}

export const plural = (count: number | bigint, one: string, many = `${one}s`) =>
  `${count.toLocaleString("en")} ${Number(count) === 1 ? one : many}`;

/** What a person typed, in units; undefined where it is not a positive number, or with `zero` 0. */
export function parseAmount(text: string, decimals: number, { zero = false } = {}): bigint | undefined {
  const match = /^\s*(\d+)(?:[.,](\d*))?\s*$/.exec(text);
  if (!match || (match[2]?.length ?? 0) > decimals) return undefined;
  const units = BigInt(match[1]!) * 10n ** BigInt(decimals) + BigInt((match[2] ?? "").padEnd(decimals, "0") || "0");
  return units > 0n || zero ? units : undefined;
}
