// Answers that stay true until what they depend on has changed.

type Answer = { readonly version: string; readonly value: Promise<unknown> };

export class Kept {
  #answers = new Map<string, Answer>();

  /** The answer of that key and version, which is asked for once. One that failed is asked for again. */
  get<T>(key: string, version: string, read: () => Promise<T>): Promise<T> {
    const known = this.#answers.get(key);
    if (known?.version === version) return known.value as Promise<T>;
    const value = read();
    const answer = { version, value };
    this.#answers.set(key, answer);
    value.catch(() => {
      if (this.#answers.get(key) === answer) this.#answers.delete(key);
    });
    return value;
  }
}
