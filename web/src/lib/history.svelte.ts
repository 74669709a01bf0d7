// All that ever happened, from logs, kept up to date block by block.
import { type ContractEventName, type Log, parseEventLogs } from "viem";
import { type Abis, chain, type Name } from "./chain.svelte";

const CHUNK = 2000n;

export type Row<N extends Name, E extends ContractEventName<Abis[N]>> = Log<
  bigint,
  number,
  false,
  undefined,
  true,
  Abis[N],
  E
>;

class History {
  /** How much is read, 0 to 1; 1 when the history is complete. */
  progress = $state(0);
  #rows = $state.raw(new Map<string, unknown[]>());
  #next = 0n;
  #lastHash: string | undefined;
  #reading: Promise<void> | undefined;

  /** Events of one kind in the chain's order. Call it where Svelte tracks: it changes as blocks come. */
  of<N extends Name, E extends ContractEventName<Abis[N]>>(contract: N, event: E): Row<N, E>[] {
    return (this.#rows.get(`${contract}.${event}`) ?? []) as Row<N, E>[];
  }

  /** Reads on to the newest block. Raises where the node fails; what was read until then stays. */
  read(): Promise<void> {
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #read() {
    const { client, deployment } = chain;
    const head = await client.getBlock();
    await this.#rewind(head.number);
    const first = BigInt(deployment.firstBlock);
    while (this.#next <= head.number) {
      const to = this.#next + CHUNK - 1n < head.number ? this.#next + CHUNK - 1n : head.number;
      await this.#add(this.#next, to);
      this.#next = to + 1n;
      this.progress = Number(this.#next - first) / Number(head.number + 1n - first);
    }
    this.progress = 1;
    this.#lastHash = head.hash;
  }

  /** Starts anew where the last block that was read is not the chain's any more: after a reorg, or on a new devnet. */
  async #rewind(head: bigint) {
    const last = this.#next - 1n;
    const known = this.#lastHash !== undefined && last <= head;
    if (known && (await chain.client.getBlock({ blockNumber: last })).hash === this.#lastHash) return;
    this.#rows = new Map();
    this.#next = BigInt(chain.deployment.firstBlock);
  }

  async #add(fromBlock: bigint, toBlock: bigint) {
    const names = chain.names();
    const logs = await chain.client.getLogs({ address: names.map((name) => chain.address(name)), fromBlock, toBlock });
    const rows = new Map(this.#rows);
    for (const name of names) {
      const { address, abi } = chain.at(name);
      const own = logs.filter((log) => log.address.toLowerCase() === address.toLowerCase());
      for (const row of parseEventLogs({ abi, logs: own })) {
        const key = `${name}.${row.eventName}`;
        rows.set(key, [...(rows.get(key) ?? []), row]);
      }
    }
    this.#rows = rows;
  }
}

export const history = new History();
