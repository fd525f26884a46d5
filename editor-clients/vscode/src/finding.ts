/** Where the `midline` command is: named by the setting, on the PATH, or in the own environment. */

import { accessSync, constants, statSync } from 'node:fs';
import * as path from 'node:path';

/** What the search looks at; `environment` is the folder that the installation makes. */
export interface Places {
  readonly setting: string;
  readonly searchPath: string;
  readonly environment: string;
  readonly home: string;
  readonly platform: NodeJS.Platform;
}

export type Found =
  | { readonly command: string; readonly from: 'setting' | 'path' | 'environment' }
  | { readonly problem: string | undefined };

/** The command, or a sentence if the setting names none; no sentence if Midline is not there. */
export function findMidline(places: Places): Found {
  const setting = expandHome(places.setting.trim(), places.home);
  if (setting !== '') {
    const named = isPath(setting) ? [setting] : candidates(setting, places);
    const command = named.find(isProgram);
    return command !== undefined
      ? { command, from: 'setting' }
      : {
          problem: `The setting midline.command names ${setting}, which is not a program here; correct or clear it.`,
        };
  }
  const command = candidates('midline', places).find(isProgram);
  if (command !== undefined) return { command, from: 'path' };
  const own = programOf(places.environment, 'midline', places.platform);
  return isProgram(own) ? { command: own, from: 'environment' } : { problem: undefined };
}

/** The first of `names` that is a program on the PATH. */
export function findProgram(names: readonly string[], places: Places): string | undefined {
  return names.flatMap((name) => candidates(name, places)).find(isProgram);
}

/** The path of a program in a Python environment. */
export function programOf(environment: string, name: string, platform: NodeJS.Platform): string {
  return platform === 'win32'
    ? path.join(environment, 'Scripts', `${name}.exe`)
    : path.join(environment, 'bin', name);
}

// A window that was not started from a shell has a short PATH: uv and pipx install to ~/.local/bin.
function candidates(name: string, places: Places): string[] {
  const separator = places.platform === 'win32' ? ';' : ':';
  const folders = places.searchPath.split(separator).filter((folder) => path.isAbsolute(folder));
  const file = places.platform === 'win32' && !name.includes('.') ? `${name}.exe` : name;
  return [...folders, path.join(places.home, '.local', 'bin')].map((folder) =>
    path.join(folder, file),
  );
}

function isPath(text: string): boolean {
  return text.includes('/') || text.includes('\\');
}

function expandHome(text: string, home: string): string {
  return text.startsWith('~/') ? path.join(home, text.slice(2)) : text;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
