// Key files: a key under a passphrase, in the form that wallets read and write (Web3 Secret Storage, version 3).
import * as Keystore from "ox/Keystore";
import { type Address, bytesToHex, type Hex, isHex, size } from "viem";
import { privateKeyToAddress } from "viem/accounts";
import { type Asked, derive, type Derived } from "./deriving";
import { Refusal } from "./errors";

export type KeyFile = Keystore.Keystore & { readonly address: string };

/** scrypt's cost of our own files: 16 MB and about a second on a phone. */
const COST = 2 ** 17;
/** What a file of somebody else's may cost at most, in bytes of memory: four times what wallets on desks take. */
const MOST_MEMORY = 2 ** 30;
const MOST_ROUNDS = 10_000_000;

/** A key file of that key. */
export async function seal(key: Hex, passphrase: string, cost = COST): Promise<KeyFile> {
  const { derived, options } = await derivedAside({ passphrase, cost });
  const file = Keystore.encrypt(key, derived, { ...options!, id: newId() });
  return { ...file, address: privateKeyToAddress(key).slice(2).toLowerCase() };
}

/** A random UUID (RFC 9562, version 4), also where the page comes by plain http and crypto.randomUUID is missing. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytesToHex(bytes)
    .slice(2)
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** As `derive`, while the page goes on; on the page's own thread where it cannot have another one. */
function derivedAside(asked: Asked): Promise<Derived> {
  return new Promise((resolve, reject) => {
    const here = () => {
      try {
        resolve(derive(asked));
      } catch (error) {
        reject(error as Error);
      }
    };
    if (typeof Worker === "undefined") return here();
    const worker = new Worker(new URL("./deriving.worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Derived>) => {
      worker.terminate();
      resolve(data);
    };
    worker.onerror = () => {
      worker.terminate();
      here();
    };
    worker.postMessage(asked);
  });
}

/** The key in a file. Raises Refusal where the passphrase does not open it. */
export async function unseal(file: KeyFile, passphrase: string): Promise<Hex> {
  const { derived } = await derivedAside({ passphrase, file });
  try {
    return Keystore.decrypt(file, derived);
  } catch {
    throw new Refusal("This passphrase does not open it.");
  }
}

const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
const isBytes = (value: unknown, bytes?: number) =>
  typeof value === "string" &&
  isHex(`0x${value}`) &&
  value.length % 2 === 0 &&
  (bytes === undefined || size(`0x${value}`) === bytes);

function isAffordable(kdf: unknown, { n, r, p, c, dklen, prf, salt }: Record<string, unknown>): boolean {
  if (!isBytes(salt) || dklen !== 32) return false;
  if (kdf === "scrypt") return isNumber(n) && isNumber(r) && isNumber(p) && 128 * n * r <= MOST_MEMORY && p <= 16;
  return kdf === "pbkdf2" && prf === "hmac-sha256" && isNumber(c) && c <= MOST_ROUNDS;
}

/** A key file as somebody brings it. Raises Refusal where it is none, or would halt the browser. */
export function parseKeyFile(text: string): KeyFile {
  const refusal = new Refusal("This is no key file of a wallet.");
  let file: Record<string, unknown>;
  try {
    file = JSON.parse(text) as typeof file;
  } catch {
    throw refusal;
  }
  const crypto = file?.crypto as Record<string, unknown> | undefined;
  const cipherparams = crypto?.cipherparams as { iv?: unknown } | undefined;
  const isWhole =
    file?.version === 3 &&
    crypto?.cipher === "aes-128-ctr" &&
    isBytes(crypto.ciphertext, 32) &&
    isBytes(crypto.mac, 32) &&
    isBytes(cipherparams?.iv, 16) &&
    typeof crypto.kdfparams === "object" &&
    crypto.kdfparams !== null;
  if (!isWhole) throw refusal;
  if (!isAffordable(crypto.kdf, crypto.kdfparams as Record<string, unknown>)) {
    throw new Refusal("This key file asks for more than a browser can do.");
  }
  return file as KeyFile;
}

/** The address that a file says it is for; what it is for in truth shows when it is opened. */
export const addressIn = (file: KeyFile): Address | undefined =>
  isBytes(String(file.address).replace(/^0x/, ""), 20) ? `0x${String(file.address).replace(/^0x/, "")}` : undefined;

// No letter that looks like another or like a number (Crockford's base 32).
const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Ten letters for a key on its way between two phones: 50 bits, each try of which costs a second. */
export function oneTimeCode(): string {
  const letters = [...crypto.getRandomValues(new Uint8Array(10))].map((byte) => LETTERS[byte % 32]!);
  return `${letters.slice(0, 5).join("")}-${letters.slice(5).join("")}`;
}

/** A code as it was made, however somebody typed it. */
export function readCode(text: string): string {
  const letters = text
    .toUpperCase()
    .replace(/[^0-9A-Z]/g, "")
    .replaceAll("O", "0")
    .replace(/[IL]/g, "1");
  return letters.length === 10 ? `${letters.slice(0, 5)}-${letters.slice(5)}` : text.trim();
}
