// Time at will: on a devnet alone, whose node mines what is mined while it passes.
import { toHex } from "viem";
import { chain, DEVNET } from "./chain.svelte";
import { readBlocksPerHour } from "./tickets";

const BLOCKS_A_REQUEST = 200; // the node takes some milliseconds for each

export const isDevnet = () => chain.deployment.chainId === DEVNET && chain.has("PredictionEvents");

/** Lets days pass. What other people do meanwhile is up to whoever runs the devnet. */
export async function letPass(days: number): Promise<void> {
  const blocksPerHour = Number(await readBlocksPerHour());
  const mine = chain.client.request as (asked: { method: string; params: string[] }) => Promise<unknown>;
  for (let left = days * 24 * blocksPerHour; left > 0; left -= BLOCKS_A_REQUEST) {
    await mine({ method: "anvil_mine", params: [toHex(Math.min(left, BLOCKS_A_REQUEST)), toHex(3600 / blocksPerHour)] });
  }
  await chain.refresh();
}
