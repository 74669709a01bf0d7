// What the page knows of a club without asking its node: names, invitations, browsers that lose keys, nodes of one's own.
import { afterEach, expect, test, vi } from "vitest";

const ADA = "0x52908400098527886E0F7030069857D2E4169EE7";
const OLD = "0x8617E340B3D1FA5F11F306F4090FD50E238070D6";
const names = [
  { account: ADA, name: "Ada Ö", replaced: false },
  { account: OLD, name: "ada o", replaced: true },
];
vi.mock("../src/lib/club.svelte", () => ({ club: { names } }));
const { called, nameOf, whoIs } = await import("../src/lib/names");
const { download, isInApp } = await import("../src/lib/browser");
const { nodeUrl } = await import("../src/lib/node");
const { withNode } = await import("../src/lib/chain.svelte");
const { leastFor } = await import("../src/lib/markets");
const { patiently } = await import("../src/lib/patience");

afterEach(() => vi.unstubAllGlobals());

test("members are called by name, others by the ends of their address", () => {
  expect(called(ADA)).toBe("Ada Ö");
  expect(called(OLD)).toBe("ada o (an account of before)");
  expect(called("0xde709f2102306220921060314715629080e2fb77")).toBe("0xde70…fb77");
  expect(nameOf("0xde709f2102306220921060314715629080e2fb77")).toBeUndefined();
});

test.each([
  ["Ada Ö", ADA],
  ["  ada   ö ", ADA],
  ["ADA O\u0308", ADA],
  ["ada o", undefined], // an account that was replaced is nobody to choose
  ["", undefined],
  ["nobody", undefined],
  [ADA, ADA],
  [ADA.toLowerCase(), ADA],
  [ADA.replace("E7", "e7"), undefined], // a checksum that is wrong is a slip of the pen
])("who is %j", (text, account) => expect(whoIs(text)).toBe(account));

test.each([
  [
    "Instagram on iOS",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 300.0",
    true,
  ],
  [
    "Facebook on Android",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 Version/4.0 Chrome/120 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/440.0;]",
    true,
  ],
  [
    "a window of an app on Android",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 Version/4.0 Chrome/120 Mobile Safari/537.36",
    true,
  ],
  [
    "a window of an app on iOS",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    true,
  ],
  [
    "Safari",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1",
    false,
  ],
  [
    "Chrome on Android",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36",
    false,
  ],
  [
    "Chrome on iOS",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/120.0 Mobile/15E148 Safari/604.1",
    false,
  ],
  ["Firefox on a desk", "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0", false],
])("keys in %s", (_, agent, isApp) => expect(isInApp(agent)).toBe(isApp));

test.each([
  ["https://rpc.example", "https://rpc.example/"],
  ["rpc.example/key", "https://rpc.example/key"],
  ["http://localhost:8545", "http://localhost:8545/"],
])("a node is named by %s", (text, url) => expect(nodeUrl(text)).toBe(url));
test.each(["http://rpc.example", "ftp://rpc.example", "https://", "javascript:alert(1)//", "http://192.168.1.9:8545"])(
  "no node is %s",
  (text) => expect(() => nodeUrl(text)).toThrow(),
);

test("a node of one's own comes without what the page's own offers", () => {
  const deployment = { chainId: 1, rpcUrl: "rpc", firstBlock: 5, indexUrl: "api", clubUrl: "club", eventsUrl: "events" };
  expect(withNode(deployment, undefined)).toBe(deployment);
  expect(JSON.parse(JSON.stringify(withNode(deployment, "https://rpc.example/")))).toEqual({
    chainId: 1,
    rpcUrl: "https://rpc.example/",
    firstBlock: 5,
  });
});

test("what a person accepts at least is never rounded in the contract's favour", () => {
  expect(leastFor({ shares: 1001n }, 0)).toBe(1001n);
  expect(leastFor({ shares: 1001n }, 10)).toBe(901n); // 900.9
  expect(leastFor({ shares: 1001n }, 50)).toBe(501n);
});

async function opened(pathname: string, hash: string) {
  vi.resetModules();
  const kept = new Map<string, string>();
  const replaced: string[] = [];
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  });
  vi.stubGlobal("location", { pathname, hash, href: `https://club.example${pathname}${hash}` });
  vi.stubGlobal("history", { replaceState: (_: unknown, __: string, url: string) => replaced.push(url) });
  const page = await import("../src/lib/invitation");
  page.takeInvitation();
  return { page, replaced };
}

test("a code leaves the address and is kept until it is used up", async () => {
  const { page, replaced } = await opened("/join", "#K7QM-2XPA");
  expect(page.invitation()).toBe("K7QM-2XPA");
  expect(replaced).toEqual(["/#/join"]);
  page.useInvitationUp();
  expect(page.invitation()).toBeUndefined();
});

test("a page in a folder keeps its folder, and other addresses stay as they are", async () => {
  expect((await opened("/friends/join/", "#CODE")).replaced).toEqual(["/friends/#/join"]);
  const { page, replaced } = await opened("/", "#/markets/7");
  expect([page.invitation(), replaced]).toEqual([undefined, []]);
  expect((await opened("/join", "#/markets")).page.invitation()).toBeUndefined();
});

test.each(["100%", "K7QM%2", "%E0%A4%A"])("a link that a chat has damaged opens the page: %j", async (code) => {
  const { page, replaced } = await opened("/join", `#${code}`);
  expect([page.invitation(), replaced]).toEqual([code, ["/#/join"]]);
});

test("a file that is saved can be read for a while after the click", async () => {
  const gone = vi.fn();
  vi.stubGlobal("URL", { createObjectURL: () => "blob:1", revokeObjectURL: gone });
  vi.stubGlobal("document", { createElement: () => ({ click: () => {} }) });
  vi.useFakeTimers();
  try {
    download("key.json", "application/json", "{}");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(gone).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(gone).toHaveBeenCalledOnce();
  } finally {
    vi.useRealTimers();
  }
});

const answers = (...statuses: [number, string?][]) => {
  const left = statuses.map(([status, after]) => new Response(null, { status, headers: after ? { "Retry-After": after } : {} }));
  return () => Promise.resolve(left.shift()!);
};

test("a node that has too much to do is asked again when it says so", async () => {
  const waits: number[] = [];
  const wait = async (ms: number) => void waits.push(ms);
  const answer = await patiently(answers([429, "1"], [503, "5"], [200]), wait, () => 0.5);
  expect([answer.status, waits]).toEqual([200, [1000, 5000]]);
});

test.each<[string, [number, string?][], number]>([
  ["a refusal that names no time", [[429]], 429],
  ["a refusal for long", [[503, "60"]], 503],
  ["any other refusal", [[409, "1"]], 409],
  ["the sixth refusal", Array.from({ length: 6 }, () => [429, "1"] as [number, string]), 429],
])("%s is said as it is", async (_, statuses, expected) => {
  expect((await patiently(answers(...statuses), async () => {})).status).toBe(expected);
});

test("a view goes on by itself only from where it was shown, not over where the person just went", async () => {
  const place = { hash: "#/join", pathname: "/" };
  vi.stubGlobal("location", place);
  vi.stubGlobal("window", { addEventListener: () => {} });
  const { goFromHere } = await import("../src/lib/route.svelte");
  const go = goFromHere();
  place.hash = "#/account"; // a link was tapped, and its view is not shown yet
  go("/markets/7");
  expect(place.hash).toBe("#/account");
  place.hash = "#/join";
  go("/markets/7");
  expect(place.hash).toBe("/markets/7");
});
