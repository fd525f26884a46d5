/** Closing characters that stand behind the cursor already, because VS Code writes them in pairs. */

const OPENER_OF: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };
const QUOTES: ReadonlySet<string> = new Set(['"', "'", '`']);

/** A completion, and how many characters behind the cursor it takes the place of. */
export interface Fitted {
  readonly text: string;
  readonly covered: number;
}

/**
 * A completion that brings no closing character twice; `after` is the text behind the cursor.
 *
 * A quote that ends the string around the cursor takes the place of the one that is there: in
 * `cat",` more may follow it. Brackets at the end are left out if they close what stands before the
 * cursor: in `g(x)` behind `print(`, the bracket belongs to `g`.
 */
export function fitted(text: string, after: string): Fitted {
  const quote = after.slice(0, 1);
  const covered = QUOTES.has(quote) && count(text, quote) % 2 === 1 ? 1 : 0;
  return { text: withoutBrackets(text, after.slice(covered)), covered };
}

function withoutBrackets(text: string, after: string): string {
  for (let length = Math.min(text.length, after.length); length > 0; length -= 1) {
    const end = text.slice(-length);
    if (after.startsWith(end) && isSurplus(text, end)) return text.slice(0, -length);
  }
  return text;
}

/** Whether `end` is brackets alone, each of which closes something that `text` does not open. */
function isSurplus(text: string, end: string): boolean {
  return Array.from(end).every((closer) => {
    const opener = OPENER_OF[closer];
    return opener !== undefined && count(text, closer) - count(text, opener) >= count(end, closer);
  });
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}
