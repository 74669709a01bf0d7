// A value that is read again with every block, every minute, whenever what it is read from changes, and soon after it failed.
import { chain } from "./chain.svelte";

const RETRY_MS = 2000;

export class Live<T> {
  value = $state.raw<T>();
  error = $state.raw<unknown>();
  #failures = $state(0);

  /** In a component's script. `read` is tracked up to its first await; what is old stays until the new is there. */
  constructor(read: () => Promise<T>) {
    $effect(() => {
      void chain.head;
      void chain.minute;
      void this.#failures;
      let current = true;
      let retry: ReturnType<typeof setTimeout> | undefined;
      read().then(
        (value) => {
          if (current) [this.value, this.error] = [value, undefined];
        },
        (error: unknown) => {
          if (!current) return;
          this.error = error;
          // The node may be back before there is a new block.
          retry = setTimeout(() => (this.#failures += 1), RETRY_MS);
        },
      );
      return () => {
        current = false;
        clearTimeout(retry);
      };
    });
  }
}
