// What the page remembers in this browser from one visit to the next. Where the browser keeps nothing, it is as new each time.
import { Refusal } from "./errors";

/** What was remembered under a name; undefined where there is nothing, or nothing that can be read. */
export function recall<T>(name: string): T | undefined {
  try {
    return (JSON.parse(localStorage.getItem(`tessera.${name}`) ?? "null") as T | null) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Remembers a value; undefined forgets it. Returns whether the browser keeps it. */
export function remember(name: string, value: unknown): boolean {
  try {
    if (value === undefined) localStorage.removeItem(`tessera.${name}`);
    else localStorage.setItem(`tessera.${name}`, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** Remembers what the person relies on. Raises Refusal where the browser does not keep it. */
export function keep(name: string, value: unknown): void {
  if (!remember(name, value)) {
    throw new Refusal("This browser keeps nothing: a private window, or a full disk. Open the page in another one.");
  }
}
