// A value that is read again with every block, when the node is back, and whenever what it is read from changes.
import { chain } from "./chain.svelte";

export class Live<T> {
  value = $state.raw<T>();
  error = $state.raw<unknown>();

  /** In a component's script. `read` is tracked up to its first await; what is old stays until the new is there. */
  constructor(read: () => Promise<T>) {
    $effect(() => {
      void chain.head;
      void chain.up; // what failed while the node was down is read again though there is no new block
      let current = true;
      read().then(
        (value) => {
          if (current) [this.value, this.error] = [value, undefined];
        },
        (error: unknown) => {
          if (current) this.error = error;
        },
      );
      return () => {
        current = false;
      };
    });
  }
}
