// Several calls as one, in a wallet that says yes and then nothing of use.
import { createWalletClient, custom } from "viem";
import { mainnet } from "viem/chains";
import { expect, test } from "vitest";
import { sendBatch } from "../src/lib/batch";
import { explain, Refusal } from "../src/lib/errors";

const ME = "0x1111111111111111111111111111111111111111";
const CALL = { address: ME, abi: [{ type: "function", name: "go", inputs: [], outputs: [], stateMutability: "nonpayable" }] };

function walletThat(answers: Record<string, unknown>) {
  const request = async ({ method }: { method: string }) => {
    const answer = answers[method];
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const client = createWalletClient({ account: ME, chain: mainnet, transport: custom({ request }, { retryCount: 0 }) });
  const calls = [{ ...CALL, functionName: "go", args: [] }] as never;
  return sendBatch(client, client.account, mainnet, calls);
}

const coded = (code: number) => Object.assign(new Error("no"), { code });

test.concurrent.each([-32601, 4100, 4200, -32603])(
  "of calls that a wallet has taken nobody is told that nothing was sent (%i)",
  async (code) => {
    const error = await walletThat({ wallet_sendCalls: { id: "0x1" }, wallet_getCallsStatus: coded(code) }).catch(
      (raised) => raised,
    );
    expect(error).toBeInstanceOf(Refusal);
    expect(explain(error).title).toMatch(/^Your wallet has taken it and does not say/);
  },
);

test("of calls that it did not take a wallet's own words are told", async () => {
  const error = await walletThat({ wallet_sendCalls: coded(4001) }).catch((raised) => raised);
  expect(explain(error)).toEqual({ title: "You declined in your wallet.", advice: "Nothing was sent." });
});
