/** What the server answers to midline.action, and Markdown of a model made fit to be shown. */

/** One of several texts that an action could write. */
export interface Choice {
  readonly label: string;
  readonly text: string;
}

/** What came of an action that did not only edit. */
export interface Reply {
  readonly answer?: string;
  readonly choices?: readonly Choice[];
  readonly message?: string;
  readonly summary?: string;
}

/** The fields of an answer that have the right type. */
export function parseReply(result: unknown): Reply {
  if (typeof result !== 'object' || result === null) return {};
  const { answer, choices, message, summary } = result as Record<string, unknown>;
  return {
    ...text('answer', answer),
    ...text('message', message),
    ...text('summary', summary),
    ...(Array.isArray(choices) ? { choices: choices.filter(isChoice) } : {}),
  };
}

function text(name: string, value: unknown): Record<string, string> {
  return typeof value === 'string' && value !== '' ? { [name]: value } : {};
}

function isChoice(value: unknown): value is Choice {
  if (typeof value !== 'object' || value === null) return false;
  const { label, text } = value as Record<string, unknown>;
  return typeof label === 'string' && typeof text === 'string';
}

/**
 * Markdown without images and HTML: a preview would fetch what they name from the network.
 *
 * Code, in fences and between backticks, stays as it is.
 */
export function harmless(markdown: string): string {
  let fence: string | undefined;
  const lines = markdown.split('\n').map((line) => {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark !== undefined && (fence === undefined || mark.startsWith(fence))) {
      fence = fence === undefined ? mark : undefined;
      return line;
    }
    return fence === undefined ? harmlessLine(line) : line;
  });
  return lines.join('\n');
}

function harmlessLine(line: string): string {
  const parts = line.split(/(`+[^`]*`+)/);
  return parts
    .map((part, index) =>
      index % 2 === 1 ? part : part.replaceAll('![', '!\\[').replaceAll(/<(?=[a-z/!?])/gi, '&lt;'),
    )
    .join('');
}
