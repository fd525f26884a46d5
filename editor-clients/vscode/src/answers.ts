/** What the model tells, as a read-only Markdown preview beside the code. */

import * as vscode from 'vscode';
import { harmless } from './reply.ts';

const SCHEME = 'midline-answer';

/** Serves the texts of the previews; the last one under a title takes the place of those before. */
export class Answers implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private readonly texts = new Map<string, string>();
  private readonly registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);

  /** Show Markdown beside the editor, whose cursor stays where it is. */
  async show(title: string, markdown: string): Promise<void> {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `${title}.md` });
    this.texts.set(uri.toString(), harmless(markdown));
    this.changed.fire(uri);
    await vscode.commands.executeCommand('markdown.showPreviewToSide', uri);
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? '';
  }

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
  }
}
