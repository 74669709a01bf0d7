// Texts of strangers, made harmless to read: nothing in them hides, moves or turns what stands beside it.

// Control pictures stand for C0. What turns the direction, hides, or breaks lines is written as its number. The joiners that
// emojis and some scripts need are left.
const HIDDEN =
  /[\u0080-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;
// eslint-disable-next-line no-control-regex -- these are what is looked for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;
// More than any script puts above and below one letter.
const HEAP = /(\p{M}{4})\p{M}+/gu;
// eslint-disable-next-line no-misleading-character-class -- single signs, none of which is to be seen
const BLANK = /^[\s\u00ad\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufe0e\ufe0f]*$/u;

/** A text with its control and direction characters as symbols, and with no more signs above a letter than stay in its line. */
export const plain = (text: string): string =>
  text
    .replace(HEAP, "$1…")
    .replace(CONTROL, (sign) => (sign === "\u007f" ? "\u2421" : String.fromCodePoint(0x2400 + sign.codePointAt(0)!)))
    .replace(HIDDEN, (sign) => `[U+${sign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}]`);

/** A text that has to be there, or what to say where nothing can be seen of it. */
export const named = (text: string, otherwise: string): string => (BLANK.test(text) ? otherwise : plain(text));
