// Where the focus goes when what had it is gone: to the nearest thing around it that is still there, not to the top of the page.

/** The first of some elements that is still there. */
export const nearest = <T extends { isConnected: boolean }>(around: readonly T[]): T | undefined =>
  around.find(({ isConnected }) => isConnected);

function ancestors(element: Element): HTMLElement[] {
  const around: HTMLElement[] = [];
  for (let parent = element.parentElement; parent; parent = parent.parentElement) {
    if (parent.matches("li, article, section, form, dialog, main")) around.push(parent);
  }
  return around;
}

/** Watches a part of the page for as long as it is there. */
export function keepFocus(root: HTMLElement): () => void {
  let last: Element | undefined;
  let around: HTMLElement[] = [];
  const remember = ({ target }: FocusEvent) => {
    last = target as Element;
    around = ancestors(last);
  };
  const observer = new MutationObserver(() => {
    if (!last || last.isConnected || document.activeElement !== document.body) return;
    const next = nearest(around);
    last = undefined;
    if (!next) return;
    if (!next.hasAttribute("tabindex")) next.tabIndex = -1;
    next.focus({ preventScroll: true });
  });
  root.addEventListener("focusin", remember);
  observer.observe(root, { childList: true, subtree: true });
  return () => {
    observer.disconnect();
    root.removeEventListener("focusin", remember);
  };
}
