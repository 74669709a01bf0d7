// The account of this browser: a key that the page made, or took from a key file, and how it is kept.
import { type Address, getAddress, type Hex, type LocalAccount } from "viem";
import { toAccount } from "viem/accounts";
import { askToPersist } from "./browser";
import { Refusal } from "./errors";
import type { KeyFile } from "./keystore";
import { newPasskey, secretOf } from "./passkey";
import { keep, recall } from "./remembered";

/** `key` where it is kept plain, `sealed` where it is under a passphrase, or under a passkey whose id is `passkey`. */
type Stored = {
  readonly address: Address;
  readonly key?: Hex;
  readonly sealed?: KeyFile;
  readonly passkey?: string;
  /** Whether it is somewhere else, too: in a key file, on another phone. */
  readonly isCopied?: boolean;
};
export type Keeping = "plain" | "passphrase" | "passkey";

const ACCOUNT = "account";
/** What makes keys and signs with them is loaded by those who do. */
const signing = () => import("./signing");
/** A passkey's secret has 256 bits of its own: nothing is won by making a try dear. */
const PASSKEY_COST = 2 ** 12;

class Own {
  #stored = $state.raw(recall<Stored>(ACCOUNT));
  #open: Hex | undefined;
  #opening: Promise<Hex> | undefined;
  /** Until when it is safe here, in words. */
  safety = $state("");
  /** Set while the page needs the passphrase: what to do with it. */
  asking = $state.raw<{ open: (passphrase: string) => Promise<void>; giveUp: () => void }>();

  /** Follows what other tabs do: make it, remove it, take another one, or keep it otherwise. Calls `changed` then. */
  start(changed: () => void) {
    window.addEventListener("storage", ({ key }) => {
      if (key !== `tessera.${ACCOUNT}` && key !== null) return;
      this.#stored = recall<Stored>(ACCOUNT);
      this.#open = undefined;
      changed();
    });
  }

  /** Loads what it takes to make a key and to sign, before the person presses anything: the page's server may be away then. */
  prepare() {
    void signing().catch(() => {}); // whoever presses is told
  }

  get address(): Address | undefined {
    return this.#stored?.address;
  }

  get keeping(): Keeping {
    if (this.#stored?.passkey) return "passkey";
    return this.#stored?.sealed ? "passphrase" : "plain";
  }

  get isCopied(): boolean {
    return this.#stored?.isCopied === true;
  }

  /** Makes a key where there is none. Raises Refusal where the browser keeps nothing. */
  async make(): Promise<Address> {
    const { generatePrivateKey } = await signing();
    // Another tab may have made one of which this one has not heard: it is not written over.
    this.#stored ??= recall<Stored>(ACCOUNT);
    if (!this.#stored) await this.#put(generatePrivateKey());
    return this.#stored!.address;
  }

  /** Takes a key from elsewhere. Raises Refusal where there is another already. */
  async take(key: Hex): Promise<Address> {
    const { address } = (await signing()).privateKeyToAccount(key);
    this.#stored = recall<Stored>(ACCOUNT) ?? this.#stored;
    if (this.#stored && this.#stored.address !== address) {
      throw new Refusal("There is another account in this browser. Save its key file and remove it here first.");
    }
    if (this.#stored?.sealed) {
      // It stays locked as the person chose, and is open for this visit.
      this.#store({ ...this.#stored, isCopied: true });
      this.#open = key;
    } else await this.#put(key, { isCopied: true });
    return address;
  }

  /** Removes the key from this browser. */
  forget() {
    this.#store(undefined);
    this.#open = undefined;
  }

  /** Puts the key under a passphrase. */
  async keepByPassphrase(passphrase: string) {
    const key = await this.key();
    const { seal } = await import("./keystore");
    await this.#put(key, { sealed: await seal(key, passphrase) });
  }

  /** Puts the key under a passkey, which is made here. */
  async keepByPasskey(name: string) {
    const key = await this.key();
    const { seal } = await import("./keystore");
    const { id, secret } = await newPasskey(name);
    await this.#put(key, { sealed: await seal(key, secret, PASSKEY_COST), passkey: id });
  }

  /** Keeps it without anything to open it. */
  async keepPlain() {
    await this.#put(await this.key());
  }

  copied() {
    if (this.#stored) this.#store({ ...this.#stored, isCopied: true });
  }

  /** The key itself; asks for what opens it once in a visit. Raises Refusal where the person gives up. */
  async key(): Promise<Hex> {
    if (this.#open) return this.#open;
    const stored = this.#stored;
    if (!stored) throw new Refusal("There is no account in this browser.");
    if (stored.key) return stored.key;
    // Whoever asks meanwhile waits for the same answer: a question that took another's place would leave it without one.
    this.#opening ??= this.#unlock(stored).finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  async #unlock(stored: Stored): Promise<Hex> {
    const { unseal } = await import("./keystore");
    const opened = (key: Hex) => {
      if (this.#stored === stored) this.#open = key;
      return key;
    };
    if (stored.passkey) return opened(await unseal(stored.sealed!, await secretOf(stored.passkey)));
    return new Promise((resolve, reject) => {
      this.asking = {
        open: async (passphrase) => {
          resolve(opened(await unseal(stored.sealed!, passphrase)));
          this.asking = undefined;
        },
        giveUp: () => {
          this.asking = undefined;
          reject(new Refusal("Your account is locked. Nothing was sent."));
        },
      };
    });
  }

  /** Whether it signs without asking the person for anything. */
  get isOpen(): boolean {
    return this.#stored?.key !== undefined || this.#open !== undefined;
  }

  /** What viem signs with for an account. It raises Refusal where another one is in this browser by then. */
  account(address: Address): LocalAccount {
    const signer = async () => {
      const account = (await signing()).privateKeyToAccount(await this.key());
      if (account.address !== address) {
        throw new Refusal("There is another account in this browser now. Nothing was signed: look whose it is.");
      }
      return account;
    };
    return toAccount({
      address,
      signMessage: async (asked) => (await signer()).signMessage(asked),
      signTransaction: async (transaction, options) => (await signer()).signTransaction(transaction, options),
      signTypedData: async (asked) => (await signer()).signTypedData(asked as never),
    });
  }

  async #put(key: Hex, how: { sealed?: KeyFile; passkey?: string; isCopied?: boolean } = {}) {
    const address = getAddress((await signing()).privateKeyToAccount(key).address);
    const isCopied = how.isCopied ?? this.#stored?.isCopied;
    this.#store({ address, ...(how.sealed ? {} : { key }), ...how, ...(isCopied && { isCopied }) });
    this.#open = key;
    void askToPersist().then((words) => (this.safety = words));
  }

  #store(stored: Stored | undefined) {
    keep(ACCOUNT, stored);
    this.#stored = stored;
  }
}

export const own = new Own();
