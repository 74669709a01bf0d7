// The deployment, the node, the newest block and the time. Everything that is read from contracts goes through here.
import {
  addresses as publicAddresses,
  type Addresses,
  betTokenAbi,
  escrowAbi,
  lmsrMarketsAbi,
  oddsBetsAbi,
  oddsLensAbi,
  panelsAbi,
  playEuroAbi,
  predictionEventsAbi,
  prizePoolAbi,
  prorataBetsAbi,
  stakingPoolAbi,
} from "@tessera/abi";
import {
  type Address,
  type Chain as ViemChain,
  type Client,
  createClient,
  defineChain,
  http,
  type PublicActions,
  type Transport,
} from "viem";
import {
  call,
  estimateContractGas,
  getBlock,
  getContractEvents,
  readContract,
  simulateContract,
  waitForTransactionReceipt,
} from "viem/actions";

/** deployment.json beside the page: what a devnet writes, or what who hosts the page put there. */
export type Deployment = {
  readonly chainId: number;
  readonly rpcUrl: string;
  readonly firstBlock: number;
  readonly addresses?: Addresses;
  readonly indexUrl?: string;
  /** A host of bets, where the page is to begin with one. */
  readonly hostUrl?: string;
  /** Where a devnet funds newcomers and lets time pass. */
  readonly devnet?: string;
};

const abis = {
  BetToken: betTokenAbi,
  Escrow: escrowAbi,
  LmsrMarkets: lmsrMarketsAbi,
  OddsBets: oddsBetsAbi,
  OddsLens: oddsLensAbi,
  Panels: panelsAbi,
  PlayEuro: playEuroAbi,
  PredictionEvents: predictionEventsAbi,
  PrizePool: prizePoolAbi,
  ProrataBets: prorataBetsAbi,
  StakingPool: stakingPoolAbi,
} as const;
export type Abis = typeof abis;
export type Name = keyof Abis;

/** Any token: ERC-20 with permits. */
export const tokenAbi = betTokenAbi;

export const DEVNET = 31337;
const POLL_MS = 2000;
const GENESIS = { number: 0n, timestamp: 0, hash: "", parentHash: "" };
/** Bytes of calls in one request. Each takes five times as many, and what a node runs unasked must stay below 49,152. */
const MULTICALL_BYTES = 7_000;

/** What the page asks of a node. All of viem's actions would be an eighth of the script. */
const ACTIONS = {
  call,
  estimateContractGas,
  getBlock,
  getContractEvents,
  readContract,
  simulateContract,
  waitForTransactionReceipt,
};
type Node = Client<Transport, ViemChain> & Pick<PublicActions<Transport, ViemChain>, keyof typeof ACTIONS>;

function withActions(client: Client<Transport, ViemChain>): Node {
  const bound = Object.entries(ACTIONS).map(([name, action]) => [
    name,
    (args: never) => (action as CallableFunction)(client, args),
  ]);
  return Object.assign(client, Object.fromEntries(bound)) as Node;
}

function connect(deployment: Deployment): Node {
  const chain = defineChain({
    id: deployment.chainId,
    name: deployment.chainId === DEVNET ? "Tessera devnet" : `chain ${deployment.chainId}`,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [deployment.rpcUrl] } },
  });
  const client = createClient({
    chain,
    transport: http(deployment.rpcUrl, { batch: { wait: 5 }, retryCount: 1 }),
    // What is read at the same time is one request, with no contract of ours or others' to rely on.
    batch: { multicall: { deployless: true, wait: 5, batchSize: MULTICALL_BYTES } },
    pollingInterval: POLL_MS,
    cacheTime: 0,
  });
  return withActions(client);
}

class Chain {
  head = $state.raw(GENESIS);
  /** Unix seconds by the chain's clock, which a devnet's owner can move ahead of ours. */
  now = $state(Math.floor(Date.now() / 1000));
  /** What is read from the chain is read anew with it, where no block comes: stages of a market end by the clock. */
  readonly minute = $derived(Math.floor(this.now / 60));
  /** Why the node did not answer the last time. */
  down = $state.raw<unknown>();
  deployment!: Deployment;
  client!: Node;
  /** What must know of a new block before everything else does. It raises nothing. */
  prepare: ((head: typeof GENESIS) => Promise<void>) | undefined;
  #addresses: Addresses = {};
  #ahead = 0;
  #refreshing: Promise<void> | undefined;

  /** Reads deployment.json and finds the node. Raises where either is missing. */
  async open() {
    const answer = await fetch("deployment.json", { cache: "no-store" });
    if (!answer.ok) throw new Error("There is no deployment.json beside this page: it does not know its chain.");
    this.deployment = (await answer.json()) as Deployment;
    this.#addresses = this.deployment.addresses ?? publicAddresses[this.deployment.chainId] ?? {};
    this.client = connect({ ...this.deployment, rpcUrl: this.rpcUrl });
    await this.refresh();
    // Nothing is asked for a tab that nobody looks at.
    const look = () => {
      if (!document.hidden) void this.refresh();
    };
    setInterval(() => {
      if (!document.hidden) this.now = this.#time();
    }, 1000);
    setInterval(look, POLL_MS);
    document.addEventListener("visibilitychange", look);
  }

  /** The node's address. In deployment.json it may be one beside the page: "rpc". */
  get rpcUrl(): string {
    return new URL(this.deployment.rpcUrl, location.href).href;
  }

  /** Looks for a new block now. */
  async refresh() {
    // Whoever asks has just changed something: what is looked up meanwhile may be the block before.
    await this.#refreshing;
    await (this.#refreshing ??= this.#look().finally(() => (this.#refreshing = undefined)));
  }

  async #look() {
    try {
      const [{ number, timestamp, hash, parentHash }, next] = await Promise.all([this.client.getBlock(), this.#nextOfDevnet()]);
      if (next) this.#ahead = Number(next.timestamp) - Date.now() / 1000;
      if (hash !== this.head.hash) {
        if (!next) this.#ahead = Math.max(0, Number(timestamp) - Date.now() / 1000);
        const head = { number, timestamp: Number(timestamp), hash, parentHash };
        await this.prepare?.(head);
        this.now = this.#time();
        this.head = head;
      }
      this.down = undefined;
    } catch (error) {
      this.down = error;
    }
  }

  /** The time of `now`, for what is not to be read again every second. */
  get time(): number {
    return this.#time();
  }

  has(name: Name): boolean {
    return this.#addresses[name] !== undefined;
  }

  address(name: Name): Address {
    const address = this.#addresses[name];
    if (address === undefined) throw new Error(`There is no ${name} on this chain.`);
    return address;
  }

  /** What viem needs to call a contract of ours. */
  at<N extends Name>(name: N): { address: Address; abi: Abis[N] } {
    return { address: this.address(name), abi: abis[name] };
  }

  names(): Name[] {
    return (Object.keys(abis) as Name[]).filter((name) => this.has(name));
  }

  /** A devnet's clock goes on when no block is mined, and only its next block tells it. */
  async #nextOfDevnet() {
    return this.deployment.chainId === DEVNET ? this.client.getBlock({ blockTag: "pending" }) : undefined;
  }

  #time() {
    return Math.floor(Date.now() / 1000 + this.#ahead);
  }
}

export const chain = new Chain();
