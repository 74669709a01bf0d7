// Who tells what happened: the chain's logs, or where a deployment names one an event index.
import { chain } from "./chain.svelte";
import { fromIndex } from "./indexed";
import { fromLogs } from "./logs";
import type { Source } from "./source";

export function history(): Source {
  const { indexUrl } = chain.deployment;
  return indexUrl ? fromIndex(indexUrl) : fromLogs;
}
