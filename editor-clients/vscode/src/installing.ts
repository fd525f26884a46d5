/** The commands that install Midline's server into an environment of its own. */

import { programOf } from './finding.ts';

/** Tools that were found; one of them is needed. */
export interface Tools {
  readonly uv: string | undefined;
  readonly python: string | undefined;
}

/** One command, by its words. */
export type Step = readonly [string, ...string[]];

export const PYTHON_NAMES: readonly string[] = [
  'python3.13',
  'python3.12',
  'python3.11',
  'python3.14',
  'python3',
  'python',
];

/**
 * The commands that make `environment` anew and install `source` into it.
 *
 * uv brings a Python of its own if there is none. Undefined without uv and Python.
 */
export function installSteps(
  tools: Tools,
  environment: string,
  source: string,
  platform: NodeJS.Platform,
): readonly Step[] | undefined {
  const python = programOf(environment, 'python', platform);
  if (tools.uv !== undefined) {
    return [
      [tools.uv, 'venv', '--quiet', '--clear', '--python', '>=3.11', environment],
      [tools.uv, 'pip', 'install', '--python', python, source],
    ];
  }
  if (tools.python === undefined) return undefined;
  return [
    [tools.python, '-m', 'venv', '--clear', environment],
    [python, '-m', 'pip', 'install', '--disable-pip-version-check', '--progress-bar=off', source],
  ];
}

/** The steps as a person would type them. */
export function asTyped(steps: readonly Step[]): string {
  return steps.map((step) => step.map(quoted).join(' ')).join('\n');
}

/** What of a failed command's output tells the cause: its last line that says something. */
export function causeOf(output: string): string {
  const lines = output
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(\[notice]|hint:|note:)/i.test(line));
  const named = lines.filter((line) => /^(error|fatal)\b|Error:/i.test(line));
  return (named.at(-1) ?? lines.at(-1) ?? 'it said nothing').slice(0, 300);
}

function quoted(word: string): string {
  return /^[\w./:=~@%+-]+$/.test(word) ? word : `'${word}'`;
}
