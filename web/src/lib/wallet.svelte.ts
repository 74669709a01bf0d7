// Who acts: a wallet of the browser (EIP-6963, EIP-1193), or an account that the page made itself, in a club or on a devnet.
import { type Address, createWalletClient, custom, type EIP1193Provider, getAddress, http, type WalletClient } from "viem";
import { chain } from "./chain.svelte";
import { fund, isDevnet } from "./devnet";
import { isUnknownNetwork } from "./errors";
import { own } from "./own.svelte";
import { pause } from "./pause";
import { recall, remember } from "./remembered";

export type Found = {
  readonly info: { readonly uuid: string; readonly name: string; readonly icon: string; readonly rdns: string };
  readonly provider: EIP1193Provider;
};

const LAST = "wallet"; // rdns of the wallet used last, or OWN
const OWN = "own";
const ADULT = "adult";

class Wallet {
  found = $state.raw<Found[]>([]);
  account = $state.raw<Address>();
  chainId = $state<number>();
  kind = $state<"browser" | "own">();
  /** Whether a person said here that they are of age and choose to play. */
  adult = $state(recall<boolean>(ADULT) === true);
  asking = $state(false);
  client: WalletClient | undefined;
  #provider: EIP1193Provider | undefined;

  /** Finds wallets, and goes on with the one used last where it still lets us. */
  async start() {
    own.start(this.#followOwn);
    window.addEventListener("eip6963:announceProvider", (event) => {
      const found = (event as CustomEvent<Found>).detail;
      if (!this.found.some((other) => other.info.uuid === found.info.uuid)) this.found = [...this.found, found];
    });
    window.dispatchEvent(new Event("eip6963:requestProvider"));
    await pause(50);
    const injected = (window as { ethereum?: EIP1193Provider }).ethereum;
    if (injected && this.found.length === 0) {
      this.found = [{ info: { uuid: "injected", name: "Browser wallet", icon: "", rdns: "injected" }, provider: injected }];
    }
    // Where it does not, the page can be read without it.
    await this.#resume().catch(() => this.leave());
  }

  async #resume() {
    const last = recall<string>(LAST);
    if (last === OWN && own.address) await this.useOwn();
    const known = this.found.find((one) => one.info.rdns === last);
    if (known && (await known.provider.request({ method: "eth_accounts" })).length) await this.use(known);
  }

  get wrongNetwork(): boolean {
    return this.account !== undefined && this.chainId !== chain.deployment.chainId;
  }

  /** Whether anybody can try here, with play money that a devnet gives. */
  get canTry(): boolean {
    return isDevnet() && chain.deployment.clubUrl === undefined && chain.has("PlayEuro");
  }

  swearAdult(is: boolean) {
    this.adult = is;
    remember(ADULT, is || undefined);
  }

  /** Asks a wallet of the browser for its account. */
  async use({ info, provider }: Found) {
    const accounts = await provider.request({ method: "eth_requestAccounts" });
    this.leave();
    this.#provider = provider;
    this.chainId = Number(await provider.request({ method: "eth_chainId" }));
    provider.on?.("accountsChanged", this.#onAccounts);
    provider.on?.("chainChanged", this.#onChain);
    remember(LAST, info.rdns);
    this.kind = "browser";
    this.#onAccounts(accounts);
  }

  /** Acts with the account of this browser, which is made where there is none; a devnet gives it what it needs. */
  async useOwn() {
    const address = await own.make();
    if (this.canTry) await fund(address);
    this.leave();
    this.client = createWalletClient({ account: own.account(address), chain: chain.client.chain, transport: http(chain.rpcUrl) });
    this.chainId = chain.deployment.chainId;
    this.kind = "own";
    this.account = address;
    remember(LAST, OWN);
  }

  /** Has the wallet go to our chain; tells it about the chain where it does not know it. */
  async goToOurChain() {
    const { id, name, nativeCurrency } = chain.client.chain;
    const chainId = `0x${id.toString(16)}` as const;
    try {
      await this.#provider?.request({ method: "wallet_switchEthereumChain", params: [{ chainId }] });
    } catch (error) {
      if (!isUnknownNetwork(error)) throw error;
      const rpcUrls = [chain.rpcUrl];
      await this.#provider?.request({
        method: "wallet_addEthereumChain",
        params: [{ chainId, chainName: name, nativeCurrency, rpcUrls }],
      });
    }
  }

  /** Forgets who acts; the page is read-only again. */
  leave() {
    this.#provider?.removeListener?.("accountsChanged", this.#onAccounts);
    this.#provider?.removeListener?.("chainChanged", this.#onChain);
    this.#provider = undefined;
    this.client = undefined;
    this.account = undefined;
    this.kind = undefined;
    remember(LAST, undefined);
  }

  /** Another tab has taken another account into this browser, or removed it: nothing is done here in the name of the old one. */
  #followOwn = () => {
    if (this.kind !== "own" || own.address === this.account) return;
    if (own.address) void this.useOwn().catch(() => this.leave());
    else this.leave();
  };

  #onAccounts = (accounts: readonly string[]) => {
    if (accounts[0] === undefined) {
      this.leave();
      return;
    }
    const account = getAddress(accounts[0]);
    this.client = createWalletClient({ account, chain: chain.client.chain, transport: custom(this.#provider!) });
    this.account = account;
  };

  #onChain = (chainId: string) => {
    this.chainId = Number(chainId);
  };
}

export const wallet = new Wallet();
