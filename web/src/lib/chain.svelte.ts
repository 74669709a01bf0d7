// The deployment, the node, the newest block and the time. Everything that is read from contracts goes through here.
import {
  addresses as publicAddresses,
  type Addresses,
  betTokenAbi,
  escrowAbi,
  lmsrMarketsAbi,
  microSessionsAbi,
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
  ccipRequest,
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
import { type BlockTold, Events, Heard } from "./events";
import { pause } from "./pause";
import { recall, remember } from "./remembered";

/** deployment.json beside the page: what a devnet writes, or what who hosts the page put there. */
export type Deployment = {
  readonly chainId: number;
  readonly rpcUrl: string;
  readonly firstBlock: number;
  readonly addresses?: Addresses;
  readonly indexUrl?: string;
  /** A host of bets, where the page is to begin with one. */
  readonly hostUrl?: string;
  /** The engine of a live stream, likewise. */
  readonly liveUrl?: string;
  /** Where a devnet funds newcomers and lets time pass. */
  readonly devnet?: string;
  /** The node of a club of friends (docs/club.md), and where it tells of new blocks. */
  readonly clubUrl?: string;
  readonly eventsUrl?: string;
};

const abis = {
  BetToken: betTokenAbi,
  Escrow: escrowAbi,
  LmsrMarkets: lmsrMarketsAbi,
  MicroSessions: microSessionsAbi,
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
const STEP_MS = 250;
const SILENCE_MS = 15_000; // after which a node that would tell of blocks is asked all the same
const MOVED = 4; // seconds by which a devnet's clock differs when somebody moved it
const NODE = "node"; // that the person chose
const GENESIS = { number: 0n, timestamp: 0, hash: "", parentHash: "" };
/** Bytes of calls in one request. Each takes five times as many, and what a node runs unasked must stay below 49,152. */
const MULTICALL_BYTES = 7_000;
const MOST_CALLS = 100; // in one request
/** A club's node that has too much to do says so, and when to come again. */
const CLUB_RETRIES = 4;

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
  // A club's node answers from a cache for all phones, for which each call has to be to a contract.
  const isClub = deployment.clubUrl !== undefined;
  const chain = defineChain({
    id: deployment.chainId,
    name: deployment.chainId === DEVNET ? "Tessera devnet" : `chain ${deployment.chainId}`,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [deployment.rpcUrl] } },
  });
  const client = createClient({
    chain,
    transport: http(deployment.rpcUrl, { batch: { wait: 5, batchSize: MOST_CALLS }, retryCount: isClub ? CLUB_RETRIES : 1 }),
    // What is read at the same time is one request, with no contract of ours or others' to rely on.
    batch: isClub ? undefined : { multicall: { deployless: true, wait: 5, batchSize: MULTICALL_BYTES } },
    // viem loads this with the first call that fails: the page's server may be what is away then, and a browser does not try again.
    ccipRead: { request: ccipRequest },
    pollingInterval: POLL_MS,
    cacheTime: 0,
  });
  return withActions(client);
}

/** A deployment as it is read through another node: with nothing of what the page's own one offers beside it. */
export const withNode = (deployment: Deployment, rpcUrl: string | undefined): Deployment =>
  rpcUrl === undefined
    ? deployment
    : { ...deployment, rpcUrl, indexUrl: undefined, clubUrl: undefined, eventsUrl: undefined, devnet: undefined };

/** How far a devnet's clock is ahead, by what was known and what an answer says: whole seconds, and a while ago. So the larger
 * one is nearer the truth, unless the clock was moved. */
const largest = (known: number, said: number) => (Math.abs(known - said) < MOVED ? Math.max(known, said) : said);

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
  #first = ""; // hash of a devnet's first block
  #ahead = 0;
  #refreshing: Promise<void> | undefined;
  #told: Events | undefined;
  #looked = 0; // ms

  /** Reads deployment.json and finds the node. Raises where either is missing. */
  async open() {
    const answer = await fetch("deployment.json", { cache: "no-store" });
    if (!answer.ok) throw new Error("There is no deployment.json beside this page: it does not know its chain.");
    this.deployment = withNode((await answer.json()) as Deployment, recall<string>(NODE));
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
    setInterval(() => {
      if (!this.#told?.isOpen || Date.now() - this.#looked > SILENCE_MS) look();
    }, POLL_MS);
    document.addEventListener("visibilitychange", look);
    const { eventsUrl } = this.deployment;
    if (eventsUrl) {
      this.#told = new Events(new URL(eventsUrl, this.base));
      const heard = new Heard();
      this.#told.on("block", (told) => {
        if (heard.isNews(told as BlockTold, this.#time())) void this.refresh();
      });
    }
  }

  /** Calls `then` whenever the node tells of something; never where it tells nothing by itself. */
  onEvent(kind: string, then: (data: unknown) => void) {
    this.#told?.on(kind, then);
  }

  /** What addresses in deployment.json are relative to. */
  get base(): URL {
    return new URL(".", location.href);
  }

  /** The node that the person chose instead of the page's; undefined where none. */
  get chosenNode(): string | undefined {
    return recall<string>(NODE);
  }

  /** Has the page use another node from its next start on; undefined: its own again. */
  chooseNode(url: string | undefined) {
    remember(NODE, url);
  }

  /** Returns when there is a new block, or after a second or two. */
  async change() {
    const { hash } = this.head;
    for (let waited = 0; waited < POLL_MS && this.head.hash === hash; waited += STEP_MS) {
      await pause(STEP_MS);
    }
  }

  /** The node's address. In deployment.json it may be one beside the page: "rpc". */
  get rpcUrl(): string {
    return new URL(this.deployment.rpcUrl, this.base).href;
  }

  /** What this chain has for a name in this browser. A devnet begins anew whenever it is started, under the same number. */
  get identity(): string {
    return `${this.deployment.chainId}${this.#first}`;
  }

  /** Looks for a new block now. */
  async refresh() {
    // Whoever asks has just changed something: what is looked up meanwhile may be the block before.
    await this.#refreshing;
    await (this.#refreshing ??= this.#look().finally(() => (this.#refreshing = undefined)));
  }

  async #look() {
    this.#looked = Date.now();
    try {
      const [{ number, timestamp, hash, parentHash }, next] = await Promise.all([this.client.getBlock(), this.#nextOfDevnet()]);
      if (next) this.#ahead = largest(this.#ahead, Number(next.timestamp) - Date.now() / 1000);
      if (hash !== this.head.hash) {
        if (!next) this.#ahead = Math.max(0, Number(timestamp) - Date.now() / 1000);
        if (next && (this.#first === "" || number < this.head.number)) {
          this.#first = `.${(await this.client.getBlock({ blockNumber: 0n })).hash}`;
        }
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

  /** The same, with a fraction. */
  get exactTime(): number {
    return Date.now() / 1000 + this.#ahead;
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
    return Math.floor(this.exactTime);
  }
}

export const chain = new Chain();
