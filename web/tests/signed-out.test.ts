// The browser's session at a club's node, which the page cannot see.
import { expect, test, vi } from "vitest";

vi.mock("../src/lib/chain.svelte", () => ({
  chain: { deployment: { clubUrl: "club" }, base: "http://club.example/", onEvent: () => {} },
}));
vi.mock("../src/lib/wallet.svelte", () => ({ wallet: {} }));
const { club } = await import("../src/lib/club.svelte");

test("whoever removes the account is signed out, also where the node was away when the page was opened", async () => {
  const fetched = vi.fn<(url: URL, asked: RequestInit) => Promise<Response>>();
  vi.stubGlobal("fetch", fetched);
  fetched.mockRejectedValue(new TypeError("Failed to fetch"));
  await club.start();
  expect(club.member).toBeUndefined();
  fetched.mockReset();
  fetched.mockImplementation(async () => new Response(null, { status: 204 }));
  await club.signOut();
  expect(fetched.mock.calls.map(([url, { method }]) => `${method} ${url.pathname}`)).toEqual(["DELETE /club/session"]);
  vi.unstubAllGlobals();
});
