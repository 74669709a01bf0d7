// The person's account, read once a block for the whole page.
import { Live } from "./live.svelte";
import { type Account, readAccount } from "./money";
import { wallet } from "./wallet.svelte";

class Me {
  account!: Live<Account | undefined>;

  /** Whether it is known, or cannot be: what a view shows of it does not come later and push the rest aside. */
  get known(): boolean {
    return !wallet.account || this.account.error !== undefined || this.account.value?.of === wallet.account;
  }

  /** In the script of the component that is always there. */
  start() {
    this.account = new Live(async () => (wallet.account ? readAccount(wallet.account) : undefined));
  }
}

export const me = new Me();
