// What a node tells by itself (server-sent events), while somebody looks at the page.

const AHEAD = 5; // seconds that a block's time may be ahead of the page's clock
const AGAIN_MS = 60_000;

/** A new block, as a node tells of it: `after` is the one that it told of before, and `quiet` that nothing happened since. */
export type BlockTold = {
  readonly block_hash: string;
  readonly block_time: number;
  readonly after: string | null;
  readonly quiet: boolean;
};

/** Which blocks a page has to look at: not those in which nothing happened, if it heard of all before them. */
export class Heard {
  #last: string | undefined;

  /** `now`: unix seconds by the page's clock, which a devnet's may have left behind. */
  isNews({ block_hash, block_time, after, quiet }: BlockTold, now: number): boolean {
    const isNext = after !== null && after === this.#last;
    this.#last = block_hash;
    return !quiet || !isNext || block_time > now + AHEAD;
  }
}

export class Events {
  #source: EventSource | undefined;
  #listeners: [string, (event: MessageEvent<string>) => void][] = [];

  constructor(private readonly url: URL) {
    const follow = () => (document.hidden ? this.#close() : this.#open());
    document.addEventListener("visibilitychange", follow);
    setInterval(follow, AGAIN_MS);
    follow();
  }

  /** Whether it tells, so that nothing has to be asked. */
  get isOpen(): boolean {
    return this.#source?.readyState === EventSource.OPEN;
  }

  /** Calls `then` with what is told, of one kind. */
  on(kind: string, then: (data: unknown) => void) {
    const heard = ({ data }: MessageEvent<string>) => then(JSON.parse(data));
    this.#listeners.push([kind, heard]);
    this.#source?.addEventListener(kind, heard);
  }

  #open() {
    // A browser does not come back by itself from a refusal.
    if (this.#source && this.#source.readyState !== EventSource.CLOSED) return;
    this.#source = new EventSource(this.url);
    for (const [kind, heard] of this.#listeners) this.#source.addEventListener(kind, heard);
  }

  #close() {
    this.#source?.close();
    this.#source = undefined;
  }
}
