/** The settings that are sent to the server. */

/** A setting as VS Code's `inspect` tells of it. */
export interface Inspected {
  readonly globalValue?: unknown;
  readonly workspaceValue?: unknown;
  readonly workspaceFolderValue?: unknown;
}

/** Settings of the extension alone. */
export const CLIENT_ONLY: ReadonlySet<string> = new Set(['command', 'installFrom', 'modelFile']);

/**
 * The options to send: what the user has set, under the names of the manifest.
 *
 * Defaults are left to the server, which may be older or newer than the manifest. A model file goes
 * before the model of the catalogue. `value` gives the value in force, which is not what is
 * inspected where the folder is not trusted.
 */
export function chosenOptions(
  names: readonly string[],
  inspect: (name: string) => Inspected | undefined,
  value: (name: string) => unknown,
): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const name of names.filter((name) => !CLIENT_ONLY.has(name))) {
    if (isSet(inspect(name))) options[name] = value(name);
  }
  const file = value('modelFile');
  if (typeof file === 'string' && file.trim() !== '') options['model'] = file.trim();
  return options;
}

function isSet(found: Inspected | undefined): boolean {
  return [found?.globalValue, found?.workspaceValue, found?.workspaceFolderValue].some(
    (value) => value !== undefined,
  );
}

/** `languages` with `language` put in, or taken out where it is there. */
export function toggled(languages: readonly string[], language: string): string[] {
  return languages.includes(language)
    ? languages.filter((name) => name !== language)
    : [...languages, language].sort();
}
