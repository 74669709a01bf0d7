// A value that is read again with every block, every minute, whenever what it is read from changes, and soon after it failed.
import { stringify } from "viem";
import { chain } from "./chain.svelte";

const RETRY_MS = 2000;

export class Live<T> {
  value = $state.raw<T>();
  error = $state.raw<unknown>();
  #turn = $state(0);

  /**
   * In a component's script. `read` is tracked up to its first await; what is old stays until the new is there.
   * What changes while it reads makes it read once more, and does not stop it: a node may need longer than a block.
   */
  constructor(read: () => Promise<T>) {
    let reading = false;
    let again = false;
    let retry: ReturnType<typeof setTimeout> | undefined;
    const tryAgain = () => {
      if (document.hidden) retry = setTimeout(tryAgain, RETRY_MS);
      else this.#turn += 1;
    };
    $effect(() => {
      void chain.head;
      void chain.minute;
      void this.#turn;
      clearTimeout(retry);
      again = reading;
      if (reading) return;
      reading = true;
      read()
        .then(
          (value) => this.#set(value),
          (error: unknown) => {
            this.error = error;
            // The node may be back before there is a new block.
            retry = setTimeout(tryAgain, RETRY_MS);
          },
        )
        .finally(() => {
          reading = false;
          if (again) this.#turn += 1;
        });
    });
  }

  /** The same object stays while nothing in it changes: others are read from it. */
  #set(value: T) {
    this.error = undefined;
    if (value !== this.value && stringify(value) !== stringify(this.value)) this.value = value;
  }
}
