/** What of the editor's events and questions reaches the server. */

import * as vscode from 'vscode';
import type { Middleware, WorkspaceEdit } from 'vscode-languageclient/node';
import { chosenOptions } from './options.ts';
import { fitted } from './overlap.ts';
import { isSame, parseRenewed, type Renewed, type Renewing } from './renewing.ts';
import { configuration, type Switches } from './switches.ts';

/** The server's command of code actions. */
export const ACTION = 'midline.action';

/** The options of now; `names` are the settings of the manifest without `midline.`. */
export function optionsOfNow(names: readonly string[]): Record<string, unknown> {
  const settings = configuration();
  return chosenOptions(
    names,
    (name) => settings.inspect(name),
    (name) => settings.get(name),
  );
}

/** Documents that are off and pauses send nothing; settings are those that the user has set. */
export function middleware(
  switches: Switches,
  options: () => Record<string, unknown>,
  onProgress: NonNullable<Middleware['handleWorkDoneProgress']>,
  onAction: (request: unknown) => void,
  isRenewal: (place: Renewed) => boolean,
): Middleware {
  return {
    didOpen: (document, next) =>
      switches.isWithheld(document) ? Promise.resolve() : next(document),
    didChange: (event, next) =>
      switches.isWithheld(event.document) ? Promise.resolve() : next(event),
    didSave: (document, next) =>
      switches.isWithheld(document) ? Promise.resolve() : next(document),
    didClose: (document, next) =>
      switches.isWithheld(document) ? Promise.resolve() : next(document),
    provideInlineCompletionItems: async (document, position, context, token, next) => {
      const { Invoke, Automatic } = vscode.InlineCompletionTriggerKind;
      const byHand = context.triggerKind === Invoke && !isRenewal(placeOf(document, position));
      if (!switches.mayComplete(document, byHand)) return undefined;
      const triggerKind = byHand ? Invoke : Automatic;
      const found = await next(document, position, { ...context, triggerKind }, token);
      for (const item of Array.isArray(found) ? found : (found?.items ?? []))
        fit(item, document, position);
      return found;
    },
    notebooks: {
      didOpen: (notebook, cells, next) =>
        switches.isFileOff(notebook.uri) ? Promise.resolve() : next(notebook, cells),
      didChange: (event, next) =>
        switches.isFileOff(event.notebook.uri) ? Promise.resolve() : next(event),
      didSave: (notebook, next) =>
        switches.isFileOff(notebook.uri) ? Promise.resolve() : next(notebook),
      didClose: (notebook, cells, next) =>
        switches.isFileOff(notebook.uri) ? Promise.resolve() : next(notebook, cells),
    },
    provideCodeActions: (document, range, context, token, next) =>
      switches.isWithheld(document) ? undefined : next(document, range, context, token),
    executeCommand: async (command, args: unknown[], next) => {
      if (command !== ACTION) return (await next(command, args)) as unknown;
      onAction(args[0]);
      return undefined;
    },
    handleWorkDoneProgress: onProgress,
    workspace: {
      handleApplyEdit: async (params, next) => {
        const result = await next(params, new vscode.CancellationTokenSource().token);
        await showOtherFile(params.edit);
        return result;
      },
      configuration: (params) =>
        params.items.map((item) => (item.section === 'midline' ? options() : null)),
    },
  };
}

/** Have VS Code ask once more, if the cursor is still where the server has another text. */
export async function renew(renewing: Renewing, params: unknown): Promise<void> {
  const place = parseRenewed(params);
  const editor = vscode.window.activeTextEditor;
  if (place === undefined || editor === undefined) return;
  if (!isSame(place, placeOf(editor.document, editor.selection.active))) return;
  await renewing.during(place, () =>
    vscode.commands.executeCommand('editor.action.inlineSuggest.trigger'),
  );
}

/** A place as the server names it. */
function placeOf(document: vscode.TextDocument, position: vscode.Position): Renewed {
  return {
    textDocument: { uri: document.uri.toString(), version: document.version },
    position: { line: position.line, character: position.character },
  };
}

/** Take closing characters out of an item that VS Code has written already. */
function fit(
  item: vscode.InlineCompletionItem,
  document: vscode.TextDocument,
  position: vscode.Position,
): void {
  const end = item.range?.end ?? position;
  if (typeof item.insertText !== 'string' || !end.isEqual(position)) return;
  const { text, covered } = fitted(item.insertText, document.lineAt(position).text.slice(position.character));
  item.insertText = text;
  item.range = new vscode.Range(item.range?.start ?? position, position.translate(0, covered));
}

/** Show the file that an edit changed, where it is one alone and not the one that is edited here. */
async function showOtherFile(edit: WorkspaceEdit): Promise<void> {
  const listed = edit.documentChanges?.flatMap((each) => ('textDocument' in each ? [each.textDocument.uri] : []));
  const [uri, ...others] = new Set(listed ?? Object.keys(edit.changes ?? {}));
  if (uri === undefined || others.length > 0) return;
  const target = vscode.Uri.parse(uri);
  const shown = vscode.window.visibleTextEditors.map(({ document }) => document.uri.toString());
  if (shown.includes(target.toString()) || target.scheme === 'vscode-notebook-cell') return;
  const options = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
  await vscode.window.showTextDocument(target, options);
}
