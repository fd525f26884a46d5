/** Documents that the server is not told of. */

/** What is asked of a document. */
export interface Named {
  readonly languageId: string;
  readonly uri: { readonly scheme: string; toString(): string };
}

/** Kinds of documents that Midline completes; others are views, diffs and logs. */
export const SCHEMES: readonly string[] = [
  'file',
  'untitled',
  'vscode-remote',
  'vscode-vfs',
  'vscode-notebook-cell',
];

// Notes of commits and rebases are no code, though they are files.
const NO_CODE: ReadonlySet<string> = new Set([
  'git-commit',
  'git-rebase',
  'scminput',
  'log',
  'search-result',
]);

/** Whether a document is never completed, whatever the settings say. */
export function isNoCode(document: Named): boolean {
  return NO_CODE.has(document.languageId) || !SCHEMES.includes(document.uri.scheme);
}
