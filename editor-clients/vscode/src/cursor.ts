/** Follows the cursor in documents that the server completes, and tells it where that rests. */

import * as vscode from 'vscode';
import { Resting, type Cursor } from './resting.ts';
import type { Server } from './server.ts';
import type { Switches } from './switches.ts';

interface Place extends Cursor {
  readonly document: vscode.TextDocument;
  readonly position: vscode.Position;
}

/** Tells `server` of the cursor of the active editor, where completions may be made. */
export class CursorRest implements vscode.Disposable {
  private readonly resting: Resting<Place>;
  private readonly parts: vscode.Disposable;

  constructor(server: Server, switches: Switches) {
    this.resting = new Resting<Place>(({ document, version, position }) => {
      if (document.version === version && switches.mayComplete(document, false))
        void server.sendCursor(document, position);
    });
    this.parts = vscode.Disposable.from(
      this.resting,
      vscode.window.onDidChangeTextEditorSelection(({ textEditor, selections }) => {
        this.moved(textEditor, selections);
      }),
      vscode.window.onDidChangeActiveTextEditor((editor) => {
        if (editor !== undefined) this.moved(editor, editor.selections);
      }),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => {
        this.resting.closed(uri.toString());
      }),
    );
  }

  dispose(): void {
    this.parts.dispose();
  }

  private moved(editor: vscode.TextEditor, selections: readonly vscode.Selection[]): void {
    const { document } = editor;
    const isAlone = selections.length === 1 && (selections[0]?.isEmpty ?? false);
    const { uri, version } = document;
    const position = selections[0]?.active ?? new vscode.Position(0, 0);
    this.resting.moved({ uri: uri.toString(), version, isAlone, document, position });
  }
}
