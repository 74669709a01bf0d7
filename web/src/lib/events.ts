// What a node tells by itself (server-sent events), while somebody looks at the page.

const AGAIN_MS = 60_000;

export class Events {
  #source: EventSource | undefined;
  #listeners: [string, () => void][] = [];

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

  on(kind: string, then: () => void) {
    this.#listeners.push([kind, then]);
    this.#source?.addEventListener(kind, then);
  }

  #open() {
    // A browser does not come back by itself from a refusal.
    if (this.#source && this.#source.readyState !== EventSource.CLOSED) return;
    this.#source = new EventSource(this.url);
    for (const [kind, then] of this.#listeners) this.#source.addEventListener(kind, then);
  }

  #close() {
    this.#source?.close();
    this.#source = undefined;
  }
}
