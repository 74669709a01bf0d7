// A secret that only this device gives out, after a look at a face, a finger or a code (WebAuthn, its extension PRF).
import { toHex } from "viem";
import { Refusal } from "./errors";

const PURPOSE = new TextEncoder().encode("tessera: the key of my account");
const PRF = { prf: { eval: { first: PURPOSE } } };

type Results = { readonly prf?: { readonly enabled?: boolean; readonly results?: { readonly first: BufferSource } } };

/** Whether this browser may have passkeys here. An address of numbers, or one without TLS, has none. */
export async function mayHavePasskey(): Promise<boolean> {
  if (!window.isSecureContext || !("PublicKeyCredential" in window) || /^[\d.]+$|:/.test(location.hostname)) return false;
  return PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable().catch(() => false);
}

const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));

function secretIn(credential: PublicKeyCredential): string | undefined {
  const first = (credential.getClientExtensionResults() as Results).prf?.results?.first;
  return first && toHex(new Uint8Array(first instanceof ArrayBuffer ? first : first.buffer));
}

const toText = (bytes: ArrayBuffer) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
const toBytes = (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

function declined(error: unknown): never {
  if (error instanceof DOMException && error.name === "NotAllowedError") throw new Refusal("The passkey was not used.");
  throw error;
}

/** Makes a passkey; its id and its secret. Raises Refusal where the person declines or the device gives no secrets. */
export async function newPasskey(name: string): Promise<{ id: string; secret: string }> {
  const credential = (await navigator.credentials
    .create({
      publicKey: {
        challenge: random(32),
        rp: { name: document.title },
        user: { id: random(16), name, displayName: name },
        // Nobody checks its signatures: any kind will do.
        pubKeyCredParams: [-7, -257, -8].map((alg) => ({ type: "public-key", alg })),
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
        extensions: PRF as AuthenticationExtensionsClientInputs,
      },
    })
    .catch(declined)) as PublicKeyCredential;
  const id = toText(credential.rawId);
  if (!(credential.getClientExtensionResults() as Results).prf?.enabled) {
    throw new Refusal("The passkeys of this device keep no secrets. A passphrase does.");
  }
  return { id, secret: secretIn(credential) ?? (await secretOf(id)) };
}

/** The secret of a passkey. Raises Refusal where the person declines. */
export async function secretOf(id: string): Promise<string> {
  const credential = (await navigator.credentials
    .get({
      publicKey: {
        challenge: random(32),
        allowCredentials: [{ type: "public-key", id: toBytes(id) }],
        userVerification: "required",
        extensions: PRF as AuthenticationExtensionsClientInputs,
      },
    })
    .catch(declined)) as PublicKeyCredential;
  const secret = secretIn(credential);
  if (!secret) throw new Refusal("This passkey does not give its secret. Use your key file.");
  return secret;
}
