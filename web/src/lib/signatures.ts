// Signatures as wallets give them, as permits take them.
import { type Hex, isHex, size, slice } from "viem";

export type Permit = { readonly deadline: bigint; readonly v: number; readonly r: Hex; readonly s: Hex };

const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const word = (value: bigint): Hex => `0x${value.toString(16).padStart(64, "0")}`;

/** A signature's parts: 65 bytes with v as 27, 28, 0 or 1, or the 64 bytes of EIP-2098; the high s, which tokens refuse, made
 * the low one. Undefined for anything else: wallets that are contracts answer with as many bytes as they like. */
export function permitOf(signature: string, deadline: bigint): Permit | undefined {
  if (!isHex(signature) || (size(signature) !== 65 && size(signature) !== 64)) return undefined;
  const r = slice(signature, 0, 32);
  const second = BigInt(slice(signature, 32, 64));
  const isShort = size(signature) === 64;
  const given = isShort ? Number(second >> 255n) : Number(slice(signature, 64, 65));
  let parity = given >= 27 ? given - 27 : given;
  let s = isShort ? second & ((1n << 255n) - 1n) : second;
  if (parity !== 0 && parity !== 1) return undefined;
  if (s > HALF_ORDER) [s, parity] = [ORDER - s, 1 - parity];
  return { deadline, v: parity + 27, r, s: word(s) };
}
