/** Closing characters that stand behind the cursor already, because VS Code writes them in pairs. */

const OPENER_OF: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };
const QUOTES = new Set(['"', "'", '`']);

/**
 * A completion without the closing characters that `after`, the text behind the cursor, repeats.
 *
 * Only those go that close what stands before the cursor: in `f(g(x)` behind `print(`, the bracket
 * belongs to `g`.
 */
export function withoutOverlap(text: string, after: string): string {
  for (let length = Math.min(text.length, after.length); length > 0; length -= 1) {
    const end = text.slice(-length);
    if (after.startsWith(end) && [...end].every(isCloser)) {
      const kept = text.slice(0, -length);
      if (closes(text, end)) return kept;
    }
  }
  return text;
}

function isCloser(character: string): boolean {
  return character in OPENER_OF || QUOTES.has(character);
}

/** Whether each character of `end`, at the end of `text`, closes something that `text` does not open. */
function closes(text: string, end: string): boolean {
  return [...new Set(end)].every((character) => {
    const surplus = QUOTES.has(character)
      ? count(text, character) % 2
      : count(text, character) - count(text, OPENER_OF[character] ?? '');
    return surplus >= count(end, character);
  });
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}
