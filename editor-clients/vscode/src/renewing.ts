/** Asking once more for a place: the server has another text for it than the one on the screen. */

/** Parameters of `midline/renewed`. */
export interface Renewed {
  readonly textDocument: { readonly uri: string; readonly version: number | null };
  readonly position: { readonly line: number; readonly character: number };
}

/** The parameters that have the right type. */
export function parseRenewed(params: unknown): Renewed | undefined {
  const { textDocument, position } = fields(params);
  const { uri, version } = fields(textDocument);
  const { line, character } = fields(position);
  if (typeof uri !== 'string' || typeof version !== 'number') return undefined;
  if (typeof line !== 'number' || typeof character !== 'number') return undefined;
  return { textDocument: { uri, version }, position: { line, character } };
}

/**
 * The place that VS Code is made to ask about. It takes that for a request by hand, which the server
 * would answer with several texts and at length.
 */
export class Renewing {
  private expected: Renewed | undefined;

  /** Run `ask`, which makes VS Code ask about `place`. */
  async during(place: Renewed, ask: () => PromiseLike<unknown>): Promise<void> {
    this.expected = place;
    try {
      await ask();
    } finally {
      if (this.expected === place) this.expected = undefined;
    }
  }

  /** Whether the request for a place is the one that VS Code was made to send; true once. */
  take(place: Renewed): boolean {
    const isExpected = this.expected !== undefined && isSame(this.expected, place);
    if (isExpected) this.expected = undefined;
    return isExpected;
  }
}

/** Whether two places are the same, in the same version of a document. */
export function isSame(one: Renewed, other: Renewed): boolean {
  return (
    one.textDocument.uri === other.textDocument.uri &&
    one.textDocument.version === other.textDocument.version &&
    one.position.line === other.position.line &&
    one.position.character === other.position.character
  );
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
