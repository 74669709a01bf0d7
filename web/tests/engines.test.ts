// A page that goes on at the stream's next engine: the record where it was, and a state without an answer sent again.
import { type Address, type Hex, serializeCompactSignature, signatureToCompactSignature } from "viem";
import { privateKeyToAccount, sign } from "viem/accounts";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Question, Quote, State } from "../src/lib/sessions";

const EUR = 1_000_000n;
const SECOND = 1_000;
const PPM = 1_000_000n;
const address = (digit: string) => `0x${digit.repeat(40)}` as Address;
const hash = (digit: string) => `0x${digit.repeat(64)}` as Hex;
const HOUSE_KEY = hash("7");
const [HOUSE, SESSION_KEY] = [privateKeyToAccount(HOUSE_KEY).address, hash("8")];
const PLACE = { chainId: 31337, sessions: address("5"), panels: address("9") };
const [OPERATOR, MEMBER, PLAYER] = [address("1"), address("2"), address("3")];

/** What the chain says of session and stream. */
let isChainAway = false;
const onChain = {
  ...{ stream: [OPERATOR, 0n, 0n, 7n], session: [1, 0n, 0n, 0n, false, false, 1n] as unknown[], panel_of: 7n },
  ...{ hash_question: "0x", result: [false, 0n] },
};
const BEGUN = onChain.session;
let chainTime = 0;
vi.mock("../src/lib/chain.svelte", () => ({
  DEVNET: 31337,
  chain: {
    deployment: { chainId: 31337 },
    has: () => true,
    address: (name: string) => (name === "Panels" ? PLACE.panels : PLACE.sessions),
    at: () => ({}),
    get time() {
      return chainTime;
    },
    client: {
      readContract: async ({ functionName }: { functionName: keyof typeof onChain }) => {
        if (isChainAway) throw new Error("the node is away");
        return onChain[functionName];
      },
    },
  },
}));
vi.mock("../src/lib/pots", () => ({ panelOf: async () => ({ members: [MEMBER], threshold: 1n }) }));
vi.mock("../src/lib/wallet.svelte", () => ({ wallet: {} }));
vi.mock("../src/lib/limits.svelte", () => ({ limits: {} }));
vi.mock("../src/lib/send", () => ({
  call: (_: object, functionName: string, args: unknown[]) => ({ functionName, args }),
}));

const sessions = await import("../src/lib/sessions");
const { digestOf, EMPTY, firstHead, nextHead, read, written } = sessions;

const words = async (digest: Hex) =>
  serializeCompactSignature(signatureToCompactSignature(await sign({ hash: digest, privateKey: HOUSE_KEY })));

/** One stream's record and its engines, of which those in `alive` answer; `on` is what the next one does with a state. */
class House {
  alive = new Set(["first", "second"]);
  /** Of engines that are of another stream. */
  streams = new Map<string, string>();
  lines: Record<string, unknown>[] = [];
  heads: Hex[] = [firstHead(PLACE, 3n)];
  sockets: Socket[] = [];
  placed: unknown[] = [];
  on: (socket: Socket, frame: Record<string, unknown>) => Promise<void> = (socket, frame) => this.receipt(socket, frame);
  follow: (socket: Socket, frame: Record<string, unknown>) => void = () => {};

  append(kind: number, leaf: Hex): number {
    const n = this.lines.length + 1;
    const line = { n: String(n), kind: String(kind), epoch: "1", question: hash("0"), leaf };
    const head = nextHead(this.heads.at(-1)!, { n: BigInt(n), kind: BigInt(kind), epoch: 1n, question: hash("0"), leaf });
    this.heads.push(head);
    this.lines.push({ type: "line", ...line, head });
    for (const socket of this.sockets) socket.tell(this.lines.at(-1)!);
    return n;
  }

  greet(socket: Socket, after: string | null) {
    const [n, head] = [String(this.lines.length), this.heads.at(-1)!];
    const names = ["activation", "least_deposit", "greatest_deposit", "least_stake", "greatest_stake", "picture_delay_ms"];
    socket.tell({
      type: "stream",
      chain_id: "31337",
      contract: PLACE.sessions,
      panels: PLACE.panels,
      operator: OPERATOR,
      house_key: HOUSE,
      stream_id: this.streams.get(socket.url.hostname) ?? "3",
      panel: "7",
      n,
      head,
      now: String(Date.now()),
      terms: Object.fromEntries(names.map((name) => [name, "1"])),
    });
    if (after !== null) for (const line of this.lines.slice(Number(after))) socket.tell(line);
  }

  /** The state's receipt; the line was there before where the state was. */
  async receipt(socket: Socket, { id, session, state }: Record<string, unknown>) {
    const leaf = digestOf(PLACE, "State", read<State>("State", state), session as Hex);
    const n = 1 + this.lines.findIndex((line) => line.leaf === leaf) || this.append(2, leaf);
    const [head, epoch] = [this.heads[n]!, "1"];
    const digest = digestOf(PLACE, "Receipt", { state: leaf, stream_id: 3n, n: BigInt(n), epoch: 1n, head });
    socket.tell({ id, type: "completed", receipt: { n: String(n), epoch, head, signature: await words(digest) } });
  }
}

let house: House;

class Socket {
  static readonly OPEN = 1;
  readyState = 0;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly url: URL;

  constructor(url: URL) {
    this.url = url;
    queueMicrotask(() => {
      if (!house.alive.has(url.hostname)) return this.end();
      this.readyState = Socket.OPEN;
      house.sockets.push(this);
      house.greet(this, url.searchParams.get("after"));
    });
  }

  tell(frame: object) {
    if (this.readyState === Socket.OPEN) this.onmessage?.({ data: JSON.stringify(frame) });
  }

  send(text: string) {
    const frame = JSON.parse(text) as Record<string, unknown>;
    if (frame.do === "place") house.placed.push(frame.state);
    if (frame.do === "place") void house.on(this, frame);
    if (frame.do === "follow") house.follow(this, frame);
  }

  end() {
    this.readyState = 3;
    this.onclose?.();
  }

  close() {
    this.readyState = 3;
  }
}

function kept(): Map<string, string> {
  const offer = {
    ...{ player: PLAYER, session_key: privateKeyToAccount(SESSION_KEY).address, house_key: HOUSE, stream_id: 3n },
    ...{ deposit: 20n * EUR, activation: 1n, house_lock: 30n * EUR, stake_cap: 5n * EUR, loss_cap: 20n * EUR, salt: 1n },
    ...{ expires_at: BigInt(Math.floor(Date.now() / SECOND)) + 86_400n, valid_until: 1n },
  };
  const state = { ...EMPTY, seq: 1n, activated: true };
  const { NO_PROOF, NO_RECEIPT, NO_SIGNATURE } = sessions;
  const rest = { signature: NO_SIGNATURE, receipt: NO_RECEIPT, proof: NO_PROOF, usedSeq: 1n, waits: false, results: {} };
  const text = JSON.stringify(written({ offer, operatorSignature: NO_SIGNATURE, key: SESSION_KEY, state, ...rest }));
  return new Map([[`tessera.session.31337.${PLACE.sessions}.${PLAYER}`, text]]);
}

async function begun(typed = "ws://first/ws ws://second/ws") {
  const [{ engine }, { session }] = await Promise.all([import("../src/lib/engine.svelte"), import("../src/lib/session.svelte")]);
  engine.typed = typed;
  engine.connect();
  await vi.advanceTimersByTimeAsync(1);
  session.recall(PLAYER);
  return { engine, session };
}

/** A bet of one unit on a question that locks in ten seconds. */
function bet(session: Awaited<ReturnType<typeof begun>>["session"]) {
  const lock = BigInt(Date.now() + 10 * SECOND);
  const question = { lock, report_by: lock + 3_600_000n } as Question;
  const quote = { odds: [1_900n, 1_900n], greatest_liability: EUR } as unknown as Quote;
  const done = session.bet(
    { digest: hash("a"), question },
    { digest: hash("b"), quote, shown: {} as never, signature: { r: 1n, vs: 1n } },
    0,
    EUR,
  );
  const ended = done.then(
    () => "taken",
    (error: Error) => error.message,
  );
  return ended;
}

beforeEach(() => {
  vi.resetModules();
  vi.useFakeTimers();
  house = new House();
  house.append(0, hash("0"));
  const storage = kept();
  vi.stubGlobal("localStorage", {
    getItem: (name: string) => storage.get(name) ?? null,
    setItem: (name: string, value: string) => storage.set(name, value),
    removeItem: (name: string) => storage.delete(name),
  });
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("document", { hidden: false, addEventListener: () => {}, removeEventListener: () => {} });
  vi.stubGlobal("WebSocket", Socket);
});
afterEach(() => {
  [onChain.session, chainTime] = [BEGUN, 0];
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("where an engine dies with a bet in its record, the next one answers the same state, and the record goes on", async () => {
  const { engine, session } = await begun();
  expect([engine.state, engine.url!.hostname]).toEqual(["open", "first"]);
  house.on = async (socket, frame) => {
    const state = read<State>("State", frame.state);
    house.alive.delete("first");
    socket.readyState = 3; // it is on the disk, and nobody is told
    house.append(2, digestOf(PLACE, "State", state, frame.session as Hex));
    house.append(0, hash("0")); // the next engine's epoch
    house.on = (...call) => house.receipt(...call);
    socket.end();
  };
  const ended = bet(session);
  await vi.advanceTimersByTimeAsync(5 * SECOND);
  expect(await ended).toBe("taken");
  expect(engine.url!.hostname).toBe("second");
  expect(house.sockets.at(-1)!.url.searchParams.get("after")).toBe("1");
  expect(house.placed).toHaveLength(2);
  expect(house.placed[1]).toEqual(house.placed[0]);
  expect([engine.broken, session.now!.frozen, session.now!.state.seq, session.now!.receipt.n]).toEqual([
    undefined,
    undefined,
    2n,
    2n,
  ]);
});

test("an engine that says nothing for two seconds is left for the next one", async () => {
  const { engine, session } = await begun();
  house.on = async () => {
    house.on = (...call) => house.receipt(...call);
  };
  const ended = bet(session);
  await vi.advanceTimersByTimeAsync(1.9 * SECOND);
  expect(engine.url!.hostname).toBe("first");
  await vi.advanceTimersByTimeAsync(SECOND);
  expect(await ended).toBe("taken");
  expect(engine.url!.hostname).toBe("second");
});

test("while nobody has the stream the same state is sent again, and is no refused one", async () => {
  const { session } = await begun("ws://first/ws");
  const codes = ["stopped", "asking", "too_many_requests"];
  house.on = async (socket, { id }) => {
    socket.tell({ id, type: "refused", code: codes.shift(), reason: "later" });
    if (codes.length === 0) house.on = (...call) => house.receipt(...call);
  };
  const ended = bet(session);
  await vi.advanceTimersByTimeAsync(SECOND);
  expect(await ended).toBe("taken");
  expect(new Set(house.placed.map((state) => JSON.stringify(state))).size).toBe(1);
  expect(house.placed).toHaveLength(4);
});

test("without any engine nothing more is signed once the answer would come too late", async () => {
  const { session } = await begun();
  house.on = async (socket) => {
    house.alive.clear();
    socket.end();
  };
  const ended = bet(session);
  await vi.advanceTimersByTimeAsync(16 * SECOND);
  expect(await ended).toContain("did not answer in time");
  expect(session.now!.frozen).toBe("the engine did not answer in time");
  expect(session.now!.state.seq).toBe(1n);
});

test("a next engine whose record is another one is noticed by the lines that it lacks", async () => {
  const { engine } = await begun();
  house.append(0, hash("4"));
  await vi.advanceTimersByTimeAsync(1);
  house.alive.delete("first");
  house.lines[1] = { ...house.lines[1]!, leaf: hash("6") };
  house.lines.push({ ...house.lines[1], n: "3" });
  house.heads.push(hash("c"));
  house.sockets[0]!.end();
  await vi.advanceTimersByTimeAsync(SECOND);
  expect(engine.broken).toContain("line 3 of the record does not follow");
});

test("a next address of another stream is left out, and the others are used", async () => {
  const { engine } = await begun("ws://first/ws ws://second/ws ws://third/ws");
  house.alive.add("third");
  house.streams.set("second", "4");
  house.sockets[0]!.end();
  await vi.advanceTimersByTimeAsync(SECOND);
  expect([engine.state, engine.stream!.id, engine.url!.hostname]).toEqual(["open", 3n, "first"]);
  expect(engine.refused).toBe("ws://second/ws is left out: This engine is of another stream than the one before it.");
  house.alive.delete("first");
  house.sockets.at(-1)!.end();
  await vi.advanceTimersByTimeAsync(SECOND);
  expect([engine.state, engine.stream!.id, engine.url!.hostname]).toEqual(["open", 3n, "third"]);
});

test("where each address is of another stream, the conversation ends and says why", async () => {
  const { engine } = await begun();
  for (const name of house.alive) house.streams.set(name, "4");
  house.sockets[0]!.end();
  await vi.advanceTimersByTimeAsync(SECOND);
  expect([engine.state, engine.stream!.id]).toEqual(["off", 3n]);
  expect(engine.refused).toContain("another stream than the one before");
  engine.connect(); // which the person may do
  await vi.advanceTimersByTimeAsync(10 * SECOND);
  expect([engine.state, engine.stream!.id, engine.refused]).toEqual(["open", 4n, undefined]);
});

test("where the chain cannot be asked, an engine is tried again", async () => {
  isChainAway = true;
  const { engine } = await begun();
  await vi.advanceTimersByTimeAsync(10);
  expect([engine.state, engine.refused]).toEqual(["lost", expect.stringContaining("trying again")]);
  isChainAway = false;
  await vi.advanceTimersByTimeAsync(SECOND);
  expect([engine.state, engine.refused]).toEqual(["open", undefined]);
});

test("it waits once all addresses were tried, longer each time", async () => {
  house.alive.clear();
  const tried: string[] = [];
  vi.stubGlobal(
    "WebSocket",
    class extends Socket {
      constructor(url: URL) {
        super(url);
        tried.push(url.hostname);
      }
    },
  );
  await begun();
  await vi.advanceTimersByTimeAsync(10);
  expect(tried).toEqual(["first", "second"]);
  await vi.advanceTimersByTimeAsync(600);
  expect(tried).toHaveLength(4);
  await vi.advanceTimersByTimeAsync(600);
  expect(tried).toHaveLength(4);
  await vi.advanceTimersByTimeAsync(600);
  expect(tried).toEqual(["first", "second", "first", "second", "first", "second"]);
});

test("a view of a session that was asked for counts in its turn, so it replaces no newer one", async () => {
  const { engine, session } = await begun();
  const views: unknown[] = [];
  house.follow = (socket, { id, session: followed }) => {
    socket.tell({ type: "session", id, session: followed, is_confirmed: false });
    setTimeout(() => {
      views.push(session.view?.is_confirmed);
      socket.tell({ type: "session", session: followed, is_confirmed: true });
    }, 1);
  };
  void engine.ask("follow", { session: session.id }); // whoever asked may go on at any later time
  await vi.advanceTimersByTimeAsync(2);
  expect([...views, session.view?.is_confirmed]).toEqual([false, true]);
  house.follow = (socket, { id, session }) => {
    socket.tell({ type: "session", id, session, is_confirmed: false });
    socket.tell({ type: "session", session, is_confirmed: true });
  };
  await session.follow();
  await vi.advanceTimersByTimeAsync(1);
  expect(session.view?.is_confirmed).toBe(true);
});

test("a player who is told to wait asks for its session again", async () => {
  const { session } = await begun();
  const followed: unknown[] = [];
  house.follow = (socket, { id, session }) => {
    followed.push(id);
    if (followed.length > 1) socket.tell({ type: "session", id, session });
    else socket.tell({ type: "refused", id, code: "too_many_requests", reason: "wait" });
  };
  const done = session.follow();
  await vi.advanceTimersByTimeAsync(SECOND);
  await done;
  expect(followed).toHaveLength(2);
});

test("an engine that ends the connection says why, and is tried again", async () => {
  const { engine } = await begun("ws://first/ws");
  const greet = house.greet.bind(house);
  house.greet = (socket) => {
    house.greet = greet;
    socket.tell({ type: "refused", id: null, code: "too_many_connections", reason: "too many connections" });
    socket.end();
  };
  house.sockets[0]!.end();
  await vi.advanceTimersByTimeAsync(SECOND);
  expect([engine.state, engine.refused]).toEqual(["lost", "The engine refuses: too many connections."]);
  await vi.advanceTimersByTimeAsync(5 * SECOND);
  expect([engine.state, engine.refused]).toEqual(["open", undefined]);
});

test("a top-up is as much as the session may lose, and no more", async () => {
  const { session } = await begun();
  expect(session.room(20n * EUR)).toBe(0n);
  expect(session.room(17n * EUR)).toBe(3n * EUR);
  expect(session.room(21n * EUR)).toBe(0n);
  await expect(session.topUp(1n)).rejects.toThrow("more than the session may lose");
});

/** The browser's locks, of which each has one owner at a time; those who wait get it in their order. */
class Locks {
  #waiting = new Map<string, (() => void)[]>();

  async request(name: string, { ifAvailable }: { ifAvailable?: boolean }, use: (lock: object | null) => unknown) {
    const waiting = this.#waiting.get(name);
    if (waiting && ifAvailable) return use(null);
    if (waiting) await new Promise<void>((turn) => waiting.push(turn));
    else this.#waiting.set(name, []);
    await use({});
    const [next] = this.#waiting.get(name)!.splice(0, 1);
    if (next) next();
    else this.#waiting.delete(name);
  }
}

/** Another tab of the same browser: modules of its own, and what is kept in common. */
async function anotherTab() {
  vi.resetModules();
  return begun();
}

const stored = () => JSON.parse(localStorage.getItem(`tessera.session.31337.${PLACE.sessions}.${PLAYER}`)!);

for (const [where, locks] of [
  ["where browsers know locks", () => new Locks()],
  ["over plain HTTP, where they know none", () => undefined],
] as const) {
  test(`a second tab never writes an older state over a newer one, ${where}`, async () => {
    vi.stubGlobal("navigator", { locks: locks() });
    const first = await begun();
    const second = await anotherTab();
    const open = first.session.now!.state;
    const one = bet(first.session);
    await vi.advanceTimersByTimeAsync(100);
    expect(await one).toBe("taken");
    expect(first.session.now!.state).not.toEqual(open);
    // Each of these wrote what the second tab had read when it began: the newest state was lost.
    second.session.noteResults();
    await expect(second.session.close()).rejects.toThrow("in use in another tab");
    await expect(second.session.exit()).rejects.toThrow("in use in another tab");
    expect(await bet(second.session)).toContain("in use in another tab");
    expect([stored().state.seq, stored().usedSeq, stored().frozen]).toEqual(["2", "2", undefined]);
    expect(house.placed).toHaveLength(1);
  });
}

test("a tab that is opened while a bet waits for its receipt freezes nothing", async () => {
  vi.stubGlobal("navigator", { locks: new Locks() });
  const first = await begun();
  const answer = house.on;
  house.on = async (socket, frame) => {
    await anotherTab();
    await answer(socket, frame);
  };
  const one = bet(first.session);
  await vi.advanceTimersByTimeAsync(SECOND);
  expect(await one).toBe("taken");
  expect([stored().state.seq, stored().frozen]).toEqual(["2", undefined]);
});

test("a tab whose session another one had goes on where that one ended", async () => {
  vi.stubGlobal("navigator", { locks: new Locks() });
  const first = await begun();
  const second = await anotherTab();
  expect([first.session.isElsewhere, second.session.isElsewhere]).toEqual([false, true]);
  const one = bet(first.session);
  await vi.advanceTimersByTimeAsync(100);
  await one;
  first.session.recall(undefined); // as where its tab is closed
  await vi.advanceTimersByTimeAsync(1);
  expect([second.session.isElsewhere, second.session.now!.state.seq]).toEqual([false, 2n]);
  const two = bet(second.session);
  await vi.advanceTimersByTimeAsync(100);
  expect(await two).toBe("taken");
});

const names = (calls: readonly { functionName: string }[] | undefined) => calls?.map(({ functionName }) => functionName);

test("an exit by a state whose receipt came too late is ended, too", async () => {
  const { session } = await begun("ws://first/ws");
  house.on = async () => {};
  const ended = bet(session);
  await vi.advanceTimersByTimeAsync(16 * SECOND);
  expect(await ended).toContain("did not answer in time");
  const again = (await anotherTab()).session;
  // The house answered the exit by the state that it completed later.
  onChain.session = [2, 0n, 0n, 0n, false, false, 2n];
  chainTime = Math.floor(Date.now() / SECOND) + 2 * 86_400;
  const due = await again.due(await again.onChain());
  expect([due?.text, names(due?.calls)]).toEqual(["End the exit and be paid", ["finalize"]]);
  expect((due!.calls[0]!.args[1] as State).seq).toBe(2n);
});

test("a bet that only the book shows is brought to the chain before what relies on it, also by a tab that was opened later", async () => {
  const { engine, session } = await begun("ws://first/ws");
  house.on = async () => {};
  const ended = bet(session);
  await vi.advanceTimersByTimeAsync(11 * SECOND);
  const leaf = digestOf(PLACE, "State", read<State>("State", house.placed[0]), session.id);
  engine.confirmed.set(hash("a"), [leaf]);
  engine.reports.set(sessions.bookKey(hash("a"), leaf), { outcome: 1n, signatures: [] });
  await vi.advanceTimersByTimeAsync(2 * SECOND);
  expect(await ended).toBe("taken");
  const again = (await anotherTab()).session;
  chainTime = Math.floor(Date.now() / SECOND);
  expect(names(await again.exit())).toEqual(["submit_reports", "start_exit"]);
  onChain.session = [2, 0n, 0n, BigInt(chainTime + 60), false, false, 0n];
  const due = await again.due(await again.onChain());
  expect(names(due?.calls)).toEqual(["submit_reports", "challenge"]);
});

/** A question that locks in ten seconds, as it is told, and its quotes. */
function asking() {
  const lock = BigInt(Date.now() + 10 * SECOND);
  const question = {
    ...{ kind: 0n, stream_id: 3n, text: "Left?", lock, start: lock + 3_000n, end: lock + 8_000n, report_by: lock + 10_000_000n },
    ...{ symbols: 0n, choices: [0n, 1n].map((side) => ({ low: side, high: side })) },
  };
  const asked = digestOf(PLACE, "Question", question);
  const told = async (odds: bigint, number: number) => {
    const quote = {
      ...{ stream_id: 3n, question: asked, odds: [odds, odds], greatest_liability: EUR, number: BigInt(number) },
      valid_until: lock,
    };
    const digest = digestOf(PLACE, "Quote", quote);
    const loss = (PPM - (400_000n * odds) / 1_000n).toString();
    const losses = { loss_ppm: [loss, loss], chances_ppm: ["400000", "400000"], gross_loss_ppm: ["600000", "600000"] };
    return {
      digest,
      frame: {
        type: "quote",
        quote: written(quote),
        ...losses,
        margin_ppm: null,
        picture_delay_ms: "1",
        signature: await words(digest),
      },
    };
  };
  return { asked, told, frame: { type: "question", question: written(question), hash: asked } };
}

test("a quote that is another one in the record is none, and breaks it", async () => {
  const { engine } = await begun("ws://first/ws");
  const [socket, { asked, told, frame: question }] = [house.sockets[0]!, asking()];
  socket.tell(question);
  const { digest, frame } = await told(1_900n, 2);
  house.append(1, digest);
  socket.tell(frame);
  socket.tell((await told(1_500n, 3)).frame); // of a line that is not there yet
  await vi.advanceTimersByTimeAsync(100);
  expect([engine.questions.get(asked)?.quote?.digest, engine.broken]).toEqual([digest, undefined]);
  socket.tell((await told(1_500n, 2)).frame);
  await vi.advanceTimersByTimeAsync(100);
  expect(engine.questions.get(asked)?.quote?.digest).toBe(digest);
  expect(engine.broken).toBe("the house signed another quote for line 2 than its record has");
});

test("a gateway that has reached the next engine tells the stream again, and the lines since then", async () => {
  const { engine } = await begun("ws://first/ws");
  const socket = house.sockets[0]!;
  house.sockets = []; // the gateway's engine is gone
  house.append(0, hash("0"));
  house.append(0, hash("0"));
  house.sockets = [socket];
  house.greet(socket, "1");
  await vi.advanceTimersByTimeAsync(100);
  expect(engine.broken).toBe(undefined);
  house.append(2, hash("a"));
  await vi.advanceTimersByTimeAsync(100);
  expect([engine.broken, [...engine.heads.keys()]]).toEqual([undefined, [1n, 2n, 3n, 4n]]);
});

test("a quote of the one line that was written while nobody listened breaks nothing", async () => {
  const { engine } = await begun("ws://first/ws");
  const { asked, told, frame: question } = asking();
  engine.leave();
  const { digest, frame } = await told(1_900n, 2);
  house.append(1, digest);
  engine.connect(); // whose lines begin now, since it may be another stream
  await vi.advanceTimersByTimeAsync(1);
  for (const message of [question, frame]) house.sockets.at(-1)!.tell(message);
  await vi.advanceTimersByTimeAsync(100);
  expect([engine.questions.get(asked)?.quote?.digest, engine.broken]).toEqual([digest, undefined]);
  house.append(2, hash("a"));
  await vi.advanceTimersByTimeAsync(100);
  expect(engine.broken).toBe(undefined);
});
