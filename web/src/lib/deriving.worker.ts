// Derives keys beside the page, which is not halted meanwhile.
import { type Asked, derive } from "./deriving";

addEventListener("message", ({ data }: MessageEvent<Asked>) => postMessage(derive(data)));
