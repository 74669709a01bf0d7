// The invitation that the page was opened with, and the name that a person chose: kept until they have been of use.
import { recall, remember } from "./remembered";

const INVITATION = "invitation";
const NAME = "name";

export const invitation = () => recall<string>(INVITATION);
export const useInvitationUp = () => remember(INVITATION, undefined);
export const chosenName = () => recall<string>(NAME) ?? "";
export const rememberName = (name: string) => remember(NAME, name);

/** The link that the page was opened with, for another browser. */
export const invitationLink = () => new URL(`join#${invitation() ?? ""}`, new URL(".", location.href)).href;

/** What a link says after #; as it is where a chat's own additions made it none that can be decoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Takes the code out of the page's address, so that it stays in no history, and is not sent on with a copied address. */
export function takeInvitation() {
  const folder = location.pathname.replace(/join\/?$/, "");
  if (folder === location.pathname) return;
  const code = decoded(location.hash.slice(1));
  if (code && !code.startsWith("/")) remember(INVITATION, code);
  history.replaceState(null, "", `${folder}#/join`);
}
