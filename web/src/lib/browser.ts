// What kind of browser this is, where that decides whether a key in it is safe.

const READ_MS = 60_000;

/** Whether it is the window of a chat app: what is kept in it belongs to that app, and is often gone the next time. */
export function isInApp(agent: string): boolean {
  if (
    /\b(FBAN|FBAV|FB_IAB|Instagram|Line\/|Snapchat|WhatsApp|Twitter|MicroMessenger|TikTok|musical_ly|BytedanceWebview|Discord|Telegram|Slack|LinkedInApp)/i.test(
      agent,
    )
  )
    return true;
  if (/Android/.test(agent)) return /; wv\)/.test(agent);
  // Browsers of iOS say Safari; a window of an app does not.
  return /(iPhone|iPad|iPod).*AppleWebKit/.test(agent) && !/Safari\//.test(agent);
}

/** Saves a text as a file, if the browser does: it does not tell. */
export function download(name: string, type: string, text: string) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  // Some browsers, Safari among them, read it a good while after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), READ_MS);
}

/** Until when the browser keeps what the page stores, in words. */
export async function askToPersist(): Promise<string> {
  const granted = await navigator.storage?.persist?.().catch(() => false);
  if (granted) return "This browser has promised to keep it until you delete it.";
  const isApple = /iPhone|iPad|Macintosh.*Version\/[\d.]+ Safari/.test(navigator.userAgent);
  return isApple
    ? "This browser deletes it when you do not open the page for seven days, unless you put the page on your home screen first."
    : "This browser has promised nothing: it may delete it when its disk is full.";
}
