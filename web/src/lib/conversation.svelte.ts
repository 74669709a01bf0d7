// A WebSocket to somebody whom the person names, at one address or several: it is tried again by itself, at the next address, and
// never in a tab that nobody looks at.
import { socketUrls } from "./address";
import { chain, DEVNET } from "./chain.svelte";
import { Refusal } from "./errors";
import { isRecord } from "./listings";
import { recall, remember } from "./remembered";

export type Frame = Record<string, unknown>;

/** How the first address is found: the page's own address names it, or it was used last, or the deployment has it, or on a devnet
 * it is at a port beside the page. */
export type Whereabouts = {
  readonly query: string;
  readonly last: string;
  readonly ofDeployment: () => string | undefined;
  readonly port: number;
  readonly path: string;
};

const [FIRST_WAIT_MS, MOST_WAIT_MS] = [500, 30_000];

function firstAddress({ query, last, ofDeployment, port, path }: Whereabouts): string {
  const named = new URLSearchParams(location.search).get(query) ?? recall<string>(last) ?? ofDeployment();
  if (named !== undefined || chain.deployment.chainId !== DEVNET) return named ?? "";
  // By number: so the other side's own domain has it.
  return `ws://${location.hostname === "localhost" ? "127.0.0.1" : location.hostname}:${port}${path}`;
}

export abstract class Conversation {
  /** What the field says; kept while another view is shown. */
  typed = $state("");
  state = $state<"off" | "connecting" | "open" | "lost">("off");
  /** The address that it is at, or tries. */
  url = $state.raw<URL>();
  #urls: readonly URL[] = [];
  #tried = 0; // addresses since somebody answered
  #socket: WebSocket | undefined;
  #wait = FIRST_WAIT_MS;
  #retry: ReturnType<typeof setTimeout> | undefined;

  readonly where: Whereabouts;

  constructor(where: Whereabouts) {
    this.where = where;
  }

  /** One frame of the other side. */
  protected abstract take(frame: Frame): void;
  /** The connection is gone: whoever waits for an answer is told. */
  protected abstract ended(): void;

  /** Connects to the first address there is, once. */
  start() {
    if (this.state !== "off" || this.typed !== "") return;
    this.typed = firstAddress(this.where);
    try {
      if (this.typed) this.#begin(socketUrls(this.typed));
    } catch {
      // The field shows it: the person can mend it.
    }
  }

  /** Connects to what the field says, and remembers it. Raises Refusal where that is no address. */
  connect() {
    const urls = socketUrls(this.typed);
    remember(this.where.last, this.typed.trim());
    this.leave();
    this.#begin(urls);
  }

  #begin(urls: readonly URL[]) {
    [this.#urls, this.#tried] = [urls, 0];
    this.#open(urls[0]!);
  }

  /** Ends the conversation; nothing is tried again. */
  leave() {
    this.end();
    this.state = "off";
  }

  /** The other side has said who it is: what it says counts from now on, if it is still there. */
  protected opened() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    [this.state, this.#wait, this.#tried] = ["open", FIRST_WAIT_MS, 0];
  }

  /** Gives up a connection on which nothing comes: the next address is tried. */
  renew() {
    if (this.#socket) this.#lose();
  }

  /** Leaves an address out from now on, and goes on at the others; ends the conversation where there are none, and says so. */
  protected leaveOut(): boolean {
    this.#urls = this.#urls.filter((url) => url !== this.url);
    if (this.#urls.length > 0) this.#lose();
    else this.leave();
    return this.#urls.length > 0;
  }

  /** Ends the connection, and makes another one to the same address. */
  protected anew() {
    this.end();
    this.#open(this.url!);
  }

  /** The address as it is asked for; what is to be known of the conversation so far may be added. */
  protected addressed(url: URL): URL {
    return url;
  }

  protected get socket(): WebSocket | undefined {
    return this.#socket;
  }

  /** Raises Refusal where there is nobody. */
  protected send(frame: Frame) {
    if (this.#socket?.readyState !== WebSocket.OPEN) throw new Refusal("The connection was lost. Nothing was sent.");
    this.#socket.send(JSON.stringify(frame));
  }

  #open(url: URL) {
    this.url = url;
    if (this.state === "off") this.state = "connecting"; // else it says what was before, until there is an answer
    let socket: WebSocket;
    try {
      socket = new WebSocket(this.addressed(url));
    } catch {
      this.#lose(); // a page that came encrypted may not speak to somebody who does not
      return;
    }
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#read(data);
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#lose();
    };
  }

  protected end() {
    clearTimeout(this.#retry);
    document.removeEventListener("visibilitychange", this.#look);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
    this.ended();
  }

  #read(data: unknown) {
    let frame: unknown;
    try {
      frame = JSON.parse(String(data));
    } catch {
      return;
    }
    if (isRecord(frame)) this.take(frame);
  }

  #lose() {
    this.end();
    this.state = "lost";
    // All addresses are tried before it waits.
    this.#tried += 1;
    const isNext = this.#tried % this.#urls.length !== 0;
    this.#retry = setTimeout(() => this.#tryAgain(), isNext ? 0 : this.#wait);
    if (!isNext) this.#wait = Math.min(2 * this.#wait, MOST_WAIT_MS);
  }

  #tryAgain() {
    const next = (this.#urls.indexOf(this.url!) + 1) % this.#urls.length;
    if (!document.hidden) this.#open(this.#urls[next]!);
    else document.addEventListener("visibilitychange", this.#look);
  }

  #look = () => {
    document.removeEventListener("visibilitychange", this.#look);
    if (this.state === "lost") this.#tryAgain();
  };
}
