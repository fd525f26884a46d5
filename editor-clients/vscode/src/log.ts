/** The output channel: what the extension does, and the server's log file as it grows. */

import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { logPath, Tail } from './logfile.ts';

const POLL_MILLISECONDS = 2000;
const LINE = /^\S+ \S+ \d+ (?<level>ERROR|WARNING|INFO|DEBUG) (?<text>.*)$/;

/** Owns the channel; the server's log is only read while somebody looks at the channel. */
export class Log implements vscode.Disposable {
  readonly channel = vscode.window.createOutputChannel('Midline', { log: true });
  readonly serverLog = logPath(process.env, homedir(), process.platform);
  private readonly tail = new Tail(this.serverLog);
  private timer: NodeJS.Timeout | undefined;
  private readonly watching = vscode.window.onDidChangeVisibleTextEditors(() => {
    this.follow();
  });

  /** Show the channel, up to date. */
  show(): void {
    this.channel.show(true);
    this.copy();
    this.follow();
  }

  /** Copy what the server's log file has that the channel has not. */
  copy(): void {
    for (const line of this.tail.read().split('\n')) {
      if (line === '') continue;
      const found = LINE.exec(line)?.groups;
      const text = `server: ${found?.['text'] ?? line}`;
      switch (found?.['level']) {
        case 'ERROR':
          this.channel.error(text);
          break;
        case 'WARNING':
          this.channel.warn(text);
          break;
        case 'DEBUG':
          this.channel.debug(text);
          break;
        default:
          this.channel.info(text);
      }
    }
  }

  dispose(): void {
    this.watching.dispose();
    clearInterval(this.timer);
    this.channel.dispose();
  }

  private follow(): void {
    const isShown = vscode.window.visibleTextEditors.some(
      (editor) => editor.document.uri.scheme === 'output',
    );
    clearInterval(this.timer);
    this.timer = isShown
      ? setInterval(() => {
          this.copy();
        }, POLL_MILLISECONDS)
      : undefined;
  }
}
