/** What the server reports of its progress, and what of it VS Code shows by itself. */

import * as vscode from 'vscode';
import type {
  WorkDoneProgressBegin,
  WorkDoneProgressEnd,
  WorkDoneProgressReport,
} from 'vscode-languageclient/node';

export type Progress = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd;
export type Token = number | string;

/** One report of a piece of work, which its token stands for. */
export interface ProgressEvent {
  readonly token: Token;
  readonly value: Progress;
}

/** Hands reports on; those that the status bar or a notification shows already stay hidden. */
export class ServerProgress implements vscode.Disposable {
  private readonly reported = new vscode.EventEmitter<ProgressEvent>();
  readonly onReport = this.reported.event;
  private readonly hidden = new Set<Token>();
  private busy = 0;

  /** Do something that has a notification of its own. */
  async busily<T>(work: () => Promise<T>): Promise<T> {
    this.busy += 1;
    try {
      return await work();
    } finally {
      this.busy -= 1;
    }
  }

  /** Take a report; `next` shows it. */
  readonly handle = (
    token: Token,
    value: Progress,
    next: (token: Token, value: Progress) => void,
  ): void => {
    this.reported.fire({ token, value });
    if (value.kind === 'begin' && (this.busy > 0 || isShownElsewhere(value.title)))
      this.hidden.add(token);
    if (!this.hidden.has(token)) next(token, value);
    if (value.kind === 'end') this.hidden.delete(token);
  };

  dispose(): void {
    this.reported.dispose();
  }
}

function isShownElsewhere(title: string): boolean {
  return /^Midline: (loading|downloading) /.test(title);
}
