// Staked tickets as read from the chain: assets, stakes, events, the week, and the yield figures.
import { type Address, erc4626Abi, parseAbi } from "viem";
import { chain, tokenAbi } from "./chain.svelte";
import { isRevert } from "./errors";
import { forGood, sameAs, whileSame } from "./follow";
import { WAD } from "./format";
import { readList } from "./money";
import type { EventTerms } from "./source";

export const USD = 1_000_000n; // of a stake
const WEEK = 604_800;
const FRIDAY = 86_400; // 1970-01-01 was a Thursday: period 0 starts a day later
const DAY = 86_400;
const YEAR = 365 * DAY;
const YIELDS_SECONDS = 600;
const WIN_RATE = 0.8;
const RIGHT_TICKETS = 0.5;
const routerAbi = parseAbi(["function getAmountsOut(uint256 amountIn, address[] path) view returns (uint256[])"]);

export const periodOf = (seconds: number) => Math.floor((seconds - FRIDAY) / WEEK);
export const startOf = (period: number) => period * WEEK + FRIDAY;

export type Token = { readonly address: Address; readonly symbol: string; readonly decimals: number };
export type Asset = Token & {
  readonly vault: Address;
  readonly total: bigint;
  readonly isOpen: boolean;
  readonly principal: bigint;
  readonly held: bigint;
  /** The part of all principal that the vault has lost, WAD; undefined where the vault does not say what it is worth. */
  readonly lost: bigint | undefined;
  /** What the account's stake counts, and what it would after `revalue`: USD. */
  readonly counted: bigint;
  readonly worth: bigint;
};

const readToken = (address: Address): Promise<Token> =>
  forGood(`token ${address}`, async () => {
    const contract = { address, abi: tokenAbi };
    const [symbol, decimals] = await Promise.all([
      chain.client.readContract({ ...contract, functionName: "symbol" }),
      chain.client.readContract({ ...contract, functionName: "decimals" }),
    ]);
    return { address, symbol, decimals };
  });

const listed = () => ["AssetAdded", "AssetRetired"].map((event) => ({ by: chain.address("StakingPool"), event }));

/** The assets that can be staked, with their vaults. */
const readAssets = (): Promise<(Token & { vault: Address })[]> =>
  whileSame("assets", listed(), async () => {
    const pool = chain.at("StakingPool");
    const addresses = await readList((number) => chain.client.readContract({ ...pool, functionName: "assets", args: [number] }));
    return Promise.all(
      addresses.map(async (address) => {
        const args = [address] as const;
        const [token, vault] = await Promise.all([
          readToken(address),
          chain.client.readContract({ ...pool, functionName: "vault_of", args }),
        ]);
        return { ...token, vault };
      }),
    );
  });

async function readAsset(asset: Token & { vault: Address }, account: Address | undefined): Promise<Asset> {
  const { client } = chain;
  const pool = chain.at("StakingPool");
  const { address } = asset;
  const args = [address] as const;
  const [[total, , , isOpen], lost, [counted, full], principal, held] = await Promise.all([
    client.readContract({ ...pool, functionName: "asset_state", args: [address] }),
    client.readContract({ ...pool, functionName: "loss_of", args }).then(
      ([now]) => now,
      (error: unknown) => {
        if (isRevert(error)) return undefined;
        throw error;
      },
    ),
    account ? client.readContract({ ...pool, functionName: "value_of", args: [account, address] }) : ([0n, 0n] as const),
    account ? client.readContract({ ...pool, functionName: "principal_of", args: [account, address] }) : 0n,
    account ? client.readContract({ address, abi: tokenAbi, functionName: "balanceOf", args: [account] }) : 0n,
  ]);
  // What is lost is rounded down, as the contract does.
  return {
    ...asset,
    total,
    isOpen,
    principal,
    held,
    lost,
    counted,
    worth: lost === undefined ? counted : full - (full * lost) / WAD,
  };
}

/** What is staked, by all and by an account, and the BET that it has mined. */
export async function readStakes(account: Address | undefined) {
  const pool = chain.at("StakingPool");
  const added = await readAssets();
  const [assets, total, stake, pending] = await Promise.all([
    Promise.all(added.map((one) => readAsset(one, account))),
    chain.client.readContract({ ...pool, functionName: "total_stake" }),
    account ? chain.client.readContract({ ...pool, functionName: "stake_of", args: [account] }) : 0n,
    account ? chain.client.readContract({ ...pool, functionName: "pending_rewards", args: [account] }) : 0n,
  ]);
  return { assets, total, stake, pending };
}

/** The running week of the prize pool. */
export async function readWeek() {
  const prizes = chain.at("PrizePool");
  const read = (functionName: "pool" | "carried" | "waiting_revenue" | "buyback_bucket" | "running_weight" | "period") =>
    chain.client.readContract({ ...prizes, functionName });
  const period = await whileSame("period", [{ by: prizes.address, event: "PeriodClosed" }], () => read("period"));
  const [pool, carried, waiting, bucket, [eventBps, buybackBps], weight, token] = await Promise.all([
    read("pool"),
    read("carried"),
    read("waiting_revenue"),
    read("buyback_bucket"),
    chain.client.readContract({ ...prizes, functionName: "split_of", args: [period] }),
    read("running_weight"),
    forGood("prize token", () => chain.client.readContract({ ...prizes, functionName: "PRIZE_TOKEN" })).then(readToken),
  ]);
  return { pool, carried, waiting, bucket, eventBps, buybackBps, weight, period: Number(period), token };
}
export type Week = Awaited<ReturnType<typeof readWeek>>;

/** An event now, with what an account has in it. Tickets and the multiplier are WAD. */
export async function readEvent(terms: EventTerms, account: Address | undefined) {
  const events = chain.at("PredictionEvents");
  const { id } = terms;
  const about = [{ by: events.address, first: id }];
  const result = await whileSame(`result ${id}`, about, () =>
    chain.client.readContract({ ...events, functionName: "result_of", args: [id] }),
  );
  const [settled, outcome, shared] = result;
  // What is settled changes by its own events alone; before, tickets grow with every block.
  const state = settled
    ? await whileSame(`event ${id} ${account}`, about, () => readEventState(terms, account))
    : await readEventState(terms, account);
  return {
    ...state,
    terms,
    prize: settled ? shared : state.prize,
    settled,
    /** Its name, "cancelled" where the event had none; undefined until it is settled. */
    outcome: settled ? (terms.outcomes[Number(outcome)] ?? "cancelled") : undefined,
  };
}
export type PrizeEvent = Awaited<ReturnType<typeof readEvent>>;

async function readEventState({ id, outcomes }: EventTerms, account: Address | undefined) {
  const { client } = chain;
  const events = chain.at("PredictionEvents");
  const nothing = [0n, 0n] as const;
  const [multiplier, prize, byOutcome, tickets, prediction, mine] = await Promise.all([
    client.readContract({ ...events, functionName: "multiplier", args: [id] }),
    client.readContract({ ...chain.at("PrizePool"), functionName: "event_prize", args: [id] }),
    Promise.all(
      outcomes.map((_, outcome) =>
        client.readContract({ ...events, functionName: "outcome_tickets", args: [id, BigInt(outcome)] }),
      ),
    ),
    account ? client.readContract({ ...events, functionName: "tickets", args: [id, account] }) : nothing,
    account ? client.readContract({ ...events, functionName: "prediction_of", args: [id, account] }) : undefined,
    account ? client.readContract({ ...events, functionName: "prize_of", args: [id, account] }) : 0n,
  ]);
  return {
    multiplier,
    prize,
    outcomes: byOutcome,
    actual: tickets[0],
    prizeTickets: tickets[1],
    predicted: prediction?.[0] ? Number(prediction[1]) : undefined,
    claimable: mine,
  };
}

export const readBlocksPerHour = () =>
  forGood("blocks an hour", () =>
    chain.client.readContract({ ...chain.at("PredictionEvents"), functionName: "BLOCKS_PER_HOUR" }),
  );

/** Seconds until predicting ends: by the block or by the clock, whichever is first. */
export function secondsLeft({ stopBlock, notBefore }: EventTerms, blocksPerHour: bigint): number {
  const byBlock = (Number(stopBlock - chain.head.number) * 3600) / Number(blocksPerHour);
  return Math.min(byBlock, notBefore - chain.now);
}

const oldestKnown = new Map<Address, bigint>();

/** The first block after `first` at which the node knows what a vault's share was worth. */
async function oldest(vault: Address, first: bigint, worth: (blockNumber: bigint) => Promise<bigint>): Promise<bigint> {
  const known = (blockNumber: bigint) =>
    worth(blockNumber).then(
      () => true,
      () => false,
    );
  let [below, found] = [first, oldestKnown.get(vault) ?? chain.head.number];
  if (found <= first || (await known(first))) return first;
  while (!oldestKnown.has(vault) && found - below > 1n) {
    const middle = (below + found) / 2n;
    if (await known(middle)) found = middle;
    else below = middle;
  }
  oldestKnown.set(vault, found);
  return found;
}

/** How much a vault's share grew in the last four weeks, or as far back as the node remembers, as a yearly rate;
 * undefined where that is less than half a day. */
async function lendingYield(vault: Address, unit: bigint, blocksPerHour: bigint): Promise<number | undefined> {
  const { client, head, deployment } = chain;
  const worth = (blockNumber: bigint) =>
    client.readContract({
      address: vault,
      abi: erc4626Abi,
      functionName: "convertToAssets",
      args: [unit * 10n ** 12n],
      blockNumber,
    });
  const window = head.number - blocksPerHour * 4n * 168n;
  const first = BigInt(deployment.firstBlock);
  const since = await oldest(vault, window > first ? window : first, worth);
  const [before, now, then] = await Promise.all([worth(since), worth(head.number), client.getBlock({ blockNumber: since })]);
  const elapsed = head.timestamp - Number(then.timestamp);
  return elapsed < DAY / 2 ? undefined : ((Number(now) / Number(before) - 1) * YEAR) / elapsed;
}

/** BET a block for all stakes, 0 before and after the blocks in which it is mined, and the first of them if it is to come. */
async function mining(): Promise<{ perBlock: number; beginsAt: bigint | undefined }> {
  const pool = chain.at("StakingPool");
  const read = (functionName: "MINING_RATE" | "MINING_START" | "MINING_END") =>
    chain.client.readContract({ ...pool, functionName });
  const [rate, start, end] = await forGood("mining", () =>
    Promise.all([read("MINING_RATE"), read("MINING_START"), read("MINING_END")]),
  );
  const now = chain.head.number;
  return { perBlock: start <= now && now < end ? Number(rate) / 1e18 : 0, beginsAt: now < start ? start : undefined };
}

/** Yearly yields as fractions of stake (docs/tickets.md); undefined where a node has forgotten the past, or it is too
 * short to say. Assumes 80 % of predictions right and half of the tickets, so lending counts 1.6 times. */
export function readYields(assets: readonly Asset[], total: bigint, week: Week, blocksPerHour: bigint) {
  // They are rates of four weeks: nobody needs them for every block.
  const version = [Math.floor(chain.time / YIELDS_SECONDS), total, week.eventBps, week.buybackBps].join();
  return sameAs("yields", version, () => yieldsNow(assets, total, week, blocksPerHour));
}

async function yieldsNow(assets: readonly Asset[], total: bigint, week: Week, blocksPerHour: bigint) {
  const { client } = chain;
  const prizes = chain.at("PrizePool");
  const [router, bet, { perBlock, beginsAt }, rates] = await Promise.all([
    client.readContract({ ...prizes, functionName: "ROUTER" }),
    client.readContract({ ...prizes, functionName: "BET" }),
    mining(),
    Promise.all(assets.map((one) => lendingYield(one.vault, 10n ** BigInt(one.decimals), blocksPerHour))),
  ]);
  const args = [WAD, [bet, week.token.address]] as const;
  const sold = await client.readContract({ address: router, abi: routerAbi, functionName: "getAmountsOut", args });
  const betPrice = Number(sold[1]) / 10 ** week.token.decimals;
  const values = assets.map((one) => Number(one.total) / 10 ** one.decimals);
  const value = values.reduce((sum, one) => sum + one, 0);
  const known = value > 0 && rates.every((rate) => rate !== undefined);
  const lending = known ? rates.reduce((sum, rate, i) => sum! + (rate! * values[i]!) / value, 0)! : undefined;
  const fromPrizes = lending === undefined ? undefined : (lending * WIN_RATE) / RIGHT_TICKETS;
  const reaches = Number(week.eventBps) / Number(week.eventBps + week.buybackBps);
  const blocksPerYear = Number(blocksPerHour) * 24 * 365;
  const fromMining = total === 0n ? 0 : (perBlock * betPrice * blocksPerYear) / (Number(total) / Number(USD));
  const fromPrizesNet = fromPrizes === undefined ? undefined : fromPrizes * reaches;
  return { lending, fromPrizes, fromPrizesNet, fromMining, perBlock, beginsAt, betPrice };
}
