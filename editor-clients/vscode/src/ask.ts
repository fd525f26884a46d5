/** Saying in words what to do: the server understands it, shows it, and does it once confirmed. */

import * as vscode from 'vscode';
import { executeBusily } from './actions.ts';
import type { Answers } from './answers.ts';
import { asTyped } from './installing.ts';
import type { Server } from './server.ts';

const DO = 'midline.do';

/** What the server answers; only what applies is there. */
interface Reply {
  readonly sentence?: string;
  readonly message?: string;
  readonly question?: string;
  readonly answer?: string;
  readonly summary?: string;
  readonly places?: readonly { readonly uri: string; readonly line: number; readonly text: string }[];
  readonly go?: boolean;
  readonly command?: readonly string[];
  readonly folder?: string;
}

/** Ask for a sentence and have it done. */
export async function askInWords(server: Server, answers: Answers): Promise<void> {
  if (!server.offers(DO)) {
    void vscode.window.showInformationMessage('This version of the Midline server takes no words.');
    return;
  }
  const text = await vscode.window.showInputBox({
    title: 'Midline',
    prompt: 'What should be done?',
    placeHolder: 'explain this function, where is the port set, pause for 10 minutes...',
  });
  if (text === undefined || text.trim() === '') return;
  const request = { text, ...here() };
  const reply = await execute(server, request);
  if (reply.question === undefined || reply.question === '') {
    await show(answers, reply);
    return;
  }
  const choice = await vscode.window.showInformationMessage(reply.question, { modal: true }, 'Do It');
  if (choice !== undefined) await show(answers, await execute(server, { ...request, confirm: true }));
}

async function execute(server: Server, request: object): Promise<Reply> {
  return (await executeBusily(server, DO, request, 'working')) ?? {};
}

/** The document and the selection that the sentence is about. */
function here(): object {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) return {};
  const { start, end } = editor.selection;
  const position = ({ line, character }: vscode.Position): object => ({ line, character });
  return {
    uri: editor.document.uri.toString(),
    range: { start: position(start), end: position(end) },
  };
}

async function show(answers: Answers, reply: Reply): Promise<void> {
  if (reply.message) void vscode.window.showWarningMessage(`Midline: ${reply.message}`);
  else if (reply.places !== undefined) await choosePlace(reply);
  else if (reply.command !== undefined) runInTerminal(reply.command, reply.folder);
  else if (reply.answer !== undefined) await answers.show('Answer', reply.answer);
  else if (reply.summary !== undefined)
    vscode.window.setStatusBarMessage(`Midline: ${reply.summary}`, 8000);
}

async function choosePlace({ places = [], go }: Reply): Promise<void> {
  const items = places.map((place) => ({
    place,
    label: place.text.trim(),
    description: `${vscode.workspace.asRelativePath(vscode.Uri.parse(place.uri))}:${(place.line + 1).toString()}`,
  }));
  if (items.length === 0) void vscode.window.showInformationMessage('Midline found nothing.');
  const chosen =
    go === true && items.length === 1
      ? items[0]
      : await vscode.window.showQuickPick(items, { placeHolder: 'Places found' });
  if (chosen === undefined) return;
  const position = new vscode.Position(chosen.place.line, 0);
  await vscode.window.showTextDocument(vscode.Uri.parse(chosen.place.uri), {
    selection: new vscode.Range(position, position),
  });
}

// The words are shown in the terminal and run there, where the user sees and can stop them.
function runInTerminal([program, ...words]: readonly string[], folder: string | undefined): void {
  if (program === undefined) return;
  const options: vscode.TerminalOptions = { name: 'Midline' };
  if (folder !== undefined) options.cwd = vscode.Uri.parse(folder);
  const terminal = vscode.window.createTerminal(options);
  terminal.show();
  terminal.sendText(asTyped([[program, ...words]]));
}
