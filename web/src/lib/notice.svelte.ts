// What was just done, said once at the foot of the page: what did it may be gone from the page by then.

const SHOWN_MS = 8000;

class Notice {
  text = $state("");
  #timer: ReturnType<typeof setTimeout> | undefined;

  say(text: string) {
    clearTimeout(this.#timer);
    this.text = text;
    this.#timer = setTimeout(() => (this.text = ""), SHOWN_MS);
  }
}

export const notice = new Notice();
