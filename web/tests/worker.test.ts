// The page's own keeper: it opens the page whatever becomes of its server, and stands in nobody's way where the disk is full.
import { beforeEach, expect, test, vi } from "vitest";
import script from "../public/worker.js?raw";

const SCOPE = "https://club.example/";
type Asked = { request: { method: string; url: string }; respondWith: (answer: Promise<Response>) => void };

let server: (url: string) => Promise<Response>;
let isFull: boolean;
let kept: Map<string, Response>;
let onFetch: (event: Asked) => void;

beforeEach(() => {
  [isFull, kept] = [false, new Map()];
  const nameOf = (key: string | { url: string }) => (typeof key === "string" ? key : key.url);
  const cache = {
    match: async (key: string | { url: string }) => kept.get(nameOf(key))?.clone(),
    keys: async () => [...kept.keys()].map((url) => ({ url })),
    delete: async ({ url }: { url: string }) => kept.delete(url),
    put: async (key: string | { url: string }, answer: Response) => {
      if (isFull) throw new DOMException("no room", "QuotaExceededError");
      kept.set(nameOf(key), answer);
    },
  };
  const self = {
    registration: { scope: SCOPE },
    location: { origin: "https://club.example" },
    addEventListener: (kind: string, heard: (event: Asked) => void) => kind === "fetch" && (onFetch = heard),
  };
  // A worker has a world of its own, which is made of these.
  const run = new Function("self", "caches", "fetch", script) as (...world: unknown[]) => void;
  run(self, { open: async () => cache }, ({ url }: { url: string }) => server(url));
});

/** What the page is given for an address. */
function asked(path: string): Promise<Response> {
  return new Promise((resolve, reject) =>
    onFetch({
      request: { method: "GET", url: `${SCOPE}${path}` },
      respondWith: (answer) => void answer.then(resolve, reject),
    }),
  );
}
const text = async (path: string) => (await asked(path)).text();
const says = (words: string, status = 200) => (server = async () => new Response(words, { status }));

test.each(["", "join", "deployment.json", "assets/a.js"])("a full disk withholds nothing of %j from the page", async (path) => {
  says("new");
  isFull = true;
  expect(await text(path)).toBe("new");
});

test("where a full disk keeps what is old, the page is the new one all the same", async () => {
  says("old");
  await asked("deployment.json");
  says("new");
  isFull = true;
  expect(await text("deployment.json")).toBe("new");
});

test.each([
  ["is away", () => Promise.reject(new TypeError("Failed to fetch"))],
  ["is behind a proxy that says so", async () => new Response("Bad gateway", { status: 502 })],
])("a page whose server %s opens", async (_, answer) => {
  says("page");
  await asked("");
  server = answer;
  expect(await text("")).toBe("page");
});

test("a server that never answers is waited for some seconds", async () => {
  says("page");
  await asked("");
  server = () => new Promise(() => {});
  vi.useFakeTimers();
  try {
    const opened = text("");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await opened).toBe("page");
  } finally {
    vi.useRealTimers();
  }
});

test("a page that was never opened here is waited for, and what its server says is said", async () => {
  says("There is no club here.", 503);
  expect((await asked("")).status).toBe(503);
  server = () => Promise.reject(new TypeError("Failed to fetch"));
  await expect(asked("deployment.json")).rejects.toThrow("Failed to fetch");
});

test("a new page has scripts of other names: those of the old one go", async () => {
  says("old");
  await asked("");
  await asked("assets/a.js");
  says("new");
  expect(await text("join")).toBe("new");
  expect([...kept.keys()]).toEqual([SCOPE]);
});
