// The way into a club, without its node and its chain.
import { expect, test, vi } from "vitest";

const ADA = "0x52908400098527886E0F7030069857D2E4169EE7";
const WHY = "The club lets you in and sends you gas money. (The network is dear just now.)";
const answers = [
  { state: "coming", detail: "The club lets you in and sends you gas money." },
  { state: "coming", detail: WHY },
  { state: "ready", detail: "You are invited, and there is gas: join now." },
];
const send = vi.fn();
vi.mock("../src/lib/chain.svelte", () => ({ chain: { change: async () => {}, at: (name: string) => name } }));
vi.mock("../src/lib/club.svelte", () => ({
  club: { redeem: async () => answers.shift(), setName: async () => {}, signIn: async () => {} },
}));
vi.mock("../src/lib/invitation", () => ({ invitation: () => "code", rememberName: () => {} }));
vi.mock("../src/lib/money", () => ({ readAccount: async () => ({ marketsBit: 1n }) }));
vi.mock("../src/lib/names", () => ({ nameOf: () => undefined }));
vi.mock("../src/lib/send", () => ({ call: (...asked: unknown[]) => asked, send }));
vi.mock("../src/lib/wallet.svelte", () => ({ wallet: { account: ADA, kind: "own" } }));
const { joinClub } = await import("../src/lib/joining");

test("who waits to be let in hears why it takes so long", async () => {
  const said: string[] = [];
  await joinClub("Ada", (stage) => said.push(stage));
  expect(said).toContain("The club lets you in and sends you gas money");
  expect(said).toContain(WHY);
  expect(send).toHaveBeenCalledOnce();
});
