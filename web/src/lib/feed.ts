// What the contracts logged, block after block: from what the browser kept, then from the node.
import type { Hex } from "viem";
import type { RawLog, Rows } from "./rows";
import type { Piece, Shelf } from "./shelf";

export type Head = { readonly number: bigint; readonly hash: string; readonly parentHash: string };

export interface LogNode {
  hashOf(block: number): Promise<Hex>;
  logs(from: number, to: number): Promise<readonly RawLog[]>;
  /** Whether an error says that so many blocks are too many for one request, rather than that the node is away. */
  refusesRange(error: unknown): boolean;
}

const WIDEST = 2000; // blocks a request
const PIECE = 5000; // logs, before the next piece begins
const SAVE_EVERY_MS = 10_000;

export class Feed {
  /** Up to 1: how much of the history is there. */
  progress = 0;
  #rows: Rows;
  #next: number;
  #lastHash: string | undefined;
  #turns = 0; // how often everything was read anew
  #width = WIDEST;
  #piece: { from: number; logs: RawLog[] };
  #saved = 0; // ms
  #reading: Promise<void> | undefined;

  /** `first` is the block to begin with: the deployment's, or where an index tells what was before it, the next one. */
  constructor(
    private readonly node: LogNode,
    private readonly newRows: () => Rows,
    private readonly first: number,
    private readonly shelf: Shelf | undefined,
  ) {
    this.#rows = newRows();
    this.#next = first;
    this.#piece = { from: first, logs: [] };
  }

  get rows(): Rows {
    return this.#rows;
  }

  /** Whether all logs up to a block are here. */
  has({ hash }: Head): boolean {
    return this.#lastHash === hash;
  }

  /** Whether reading on to a block is a single request. */
  isNear({ number }: Head): boolean {
    return this.#lastHash !== undefined && Number(number) - this.#next < this.#width;
  }

  /** Changes whenever a contract logs something: of any name or of one, with any first indexed value or with one. */
  version(address: Hex, what: { event?: string; first?: Hex }): string {
    return `${this.#turns}.${this.#rows.count(address, what)}`;
  }

  /** Reads all logs up to a block. Raises where the node fails; what was read until then stays. */
  async upTo(head: Head): Promise<void> {
    while (this.#reading) await this.#reading; // it may have begun before the newest block
    if (this.has(head)) return;
    this.#reading = this.#read(head).finally(() => (this.#reading = undefined));
    await this.#reading;
  }

  async #read(head: Head) {
    if (this.#lastHash === undefined || !(await this.#isOn(head))) await this.#begin(Number(head.number));
    const [start, end] = [this.#next, Number(head.number)];
    while (this.#next <= end) {
      await this.#readSome(end);
      this.progress = (this.#next - start) / (end - start + 1);
    }
    this.#lastHash = head.hash;
    this.progress = 1;
    if (Date.now() - this.#saved > SAVE_EVERY_MS) this.#save(end, head.hash as Hex);
  }

  /** Whether the last block that was read is before this one on the chain. */
  async #isOn(head: Head): Promise<boolean> {
    const last = this.#next - 1;
    if (last > Number(head.number)) return false;
    if (last === Number(head.number) - 1) return head.parentHash === this.#lastHash;
    return (await this.node.hashOf(last)) === this.#lastHash;
  }

  /** Starts with what was kept and is still on the chain: at first, after a reorg, and on a new devnet. */
  async #begin(end: number) {
    this.#turns += 1;
    this.#rows = this.newRows();
    this.#lastHash = undefined;
    [this.#next, this.#piece] = [this.first, { from: this.first, logs: [] }];
    if (!this.shelf) return;
    const kept: Piece[] = [];
    for (const piece of await this.shelf.load()) {
      if (piece.from !== (kept.at(-1)?.to ?? this.first - 1) + 1 || piece.to > end) break;
      kept.push(piece);
    }
    // A hash stands for all blocks before it: the last piece that is still on the chain is found by halving.
    let [good, bad] = [0, kept.length + 1];
    for (let tried = kept.length; bad - good > 1; tried = (good + bad) >> 1) {
      const { to, hash } = kept[tried - 1]!;
      if ((await this.node.hashOf(to)) === hash) good = tried;
      else bad = tried;
    }
    for (const { logs } of kept.slice(0, good)) this.#rows.add(logs);
    const last = kept[good - 1];
    if (last) {
      this.#next = last.to + 1;
      // The last piece goes on where it ended.
      this.#piece = last.logs.length < PIECE ? { from: last.from, logs: [...last.logs] } : { from: this.#next, logs: [] };
    }
    await this.shelf.dropFrom(last ? last.from + 1 : 0);
  }

  async #readSome(end: number) {
    const to = Math.min(this.#next + this.#width - 1, end);
    let logs: readonly RawLog[];
    try {
      logs = await this.node.logs(this.#next, to);
    } catch (error) {
      if (this.#width === 1 || !this.node.refusesRange(error)) throw error;
      this.#width = Math.max(1, Math.min(this.#width, to - this.#next + 1) >> 1);
      return;
    }
    this.#rows.add(logs);
    if (this.shelf) for (const log of logs) this.#piece.logs.push(log);
    this.#next = to + 1;
    if (this.shelf && this.#piece.logs.length >= PIECE) this.#save(to, await this.node.hashOf(to));
  }

  #save(to: number, hash: Hex) {
    const { from, logs } = this.#piece;
    if (!this.shelf || to < from) return;
    this.#saved = Date.now();
    void this.shelf.save({ from, to, hash, logs: [...logs] }); // more may come before it is written
    if (logs.length >= PIECE) this.#piece = { from: to + 1, logs: [] };
  }
}
