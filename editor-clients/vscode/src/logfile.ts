/** The server's log file: where it is, and what has been added to it. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import * as path from 'node:path';

/** The path that `midline.server.logs.log_path` has on this platform. */
export function logPath(
  environment: Readonly<Record<string, string | undefined>>,
  home: string,
  platform: NodeJS.Platform,
): string {
  const own = environment['MIDLINE_HOME'];
  if (own) return path.join(own.startsWith('~/') ? path.join(home, own.slice(2)) : own, 'logs', 'midline.log');
  switch (platform) {
    case 'win32':
      return path.join(
        environment['LOCALAPPDATA'] ?? path.join(home, 'AppData', 'Local'),
        'midline',
        'Logs',
        'midline.log',
      );
    case 'darwin':
      return path.join(home, 'Library', 'Logs', 'midline', 'midline.log');
    default:
      return path.join(
        environment['XDG_STATE_HOME'] || path.join(home, '.local', 'state'),
        'midline',
        'log',
        'midline.log',
      );
  }
}

/** Reads a file that grows; begins anew where it has become shorter, as by rotation. */
export class Tail {
  private offset: number | undefined;
  private readonly file: string;
  private readonly atFirst: number;

  /** At first, at most `atFirst` bytes of the end are read. */
  constructor(file: string, atFirst = 16_384) {
    this.file = file;
    this.atFirst = atFirst;
  }

  /** What was added since the last call; the empty string if the file cannot be read. */
  read(): string {
    let handle: number;
    try {
      handle = openSync(this.file, 'r');
    } catch {
      return '';
    }
    try {
      const size = fstatSync(handle).size;
      const start = this.start(size);
      const bytes = Buffer.alloc(Math.min(size - start, 1 << 20));
      const count = readSync(handle, bytes, 0, bytes.length, start);
      this.offset = start + count;
      return bytes.toString('utf8', 0, count);
    } finally {
      closeSync(handle);
    }
  }

  private start(size: number): number {
    if (this.offset === undefined) return Math.max(0, size - this.atFirst);
    return this.offset <= size ? this.offset : 0;
  }
}
