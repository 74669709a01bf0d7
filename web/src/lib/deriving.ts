// The costly part of a key file: a key from a passphrase, a second or more of a phone's processor.
import * as Keystore from "ox/Keystore";
import type { Hex } from "viem";

/** Of a file that is there, or of a new one that costs so much (scrypt's n). */
export type Asked =
  { readonly passphrase: string; readonly file: Keystore.Keystore } | { readonly passphrase: string; readonly cost: number };
/** `options`: of a new file. */
export type Derived = { readonly derived: Hex; readonly options?: Keystore.ScryptDeriveOpts };

/** Halts whatever thread it runs on. */
export function derive(asked: Asked): Derived {
  const { passphrase: password } = asked;
  if ("file" in asked) return { derived: plain(Keystore.toKey(asked.file, { password })) };
  const [key, options] = Keystore.scrypt({ password, n: asked.cost });
  return { derived: plain(key), options };
}

const plain = (key: Keystore.Key): Hex => (typeof key === "function" ? key() : key);
