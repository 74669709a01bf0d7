// The part of the address after #: "#/markets/3" is ["markets", "3"].
import { takeInvitation } from "./invitation";

takeInvitation();

const parts = () => location.hash.replace(/^#\/?/, "").split("/").filter(Boolean);

class Route {
  parts = $state.raw(parts());

  constructor() {
    window.addEventListener("hashchange", () => {
      this.parts = parts();
      window.scrollTo(0, 0);
      // Who reads by ear or keyboard goes on in the new view, not where the link was.
      document.getElementById("main")?.focus({ preventScroll: true });
    });
  }
}

export const route = new Route();

/** For a view, while it is made: goes on from it, unless the person went elsewhere meanwhile, whose view comes a moment after the
 * address. */
export function goFromHere(): (path: string) => void {
  const from = location.hash;
  let isShown = true;
  $effect(() => () => void (isShown = false));
  return (path) => {
    if (isShown && location.hash === from) location.hash = path;
  };
}
