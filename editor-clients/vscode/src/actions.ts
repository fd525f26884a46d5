/** Code actions: what the model writes, or tells, about the code at the cursor. */

import * as vscode from 'vscode';
import type { Answers } from './answers.ts';
import { ACTION } from './middleware.ts';
import { parseReply, type Choice } from './reply.ts';
import type { Server } from './server.ts';

const SUMMARY_MILLISECONDS = 8000;

/** What each action is called while it runs, and what its answer is called. */
const TITLES = {
  docstring: ['writing a docstring', 'Docstring'],
  explain: ['explaining', 'Explanation'],
  fix: ['looking for a fix', 'Fix'],
  tests: ['writing tests', 'Tests'],
  translate: ['translating', 'Translation'],
  complete: ['writing the body', 'Body'],
} as const;
export type Action = keyof typeof TITLES;

/** The argument of the server's command. */
interface Request {
  readonly action: string;
  readonly choice?: number;
}

/** Carries actions out, whether they come from the palette or from the light bulb. */
export class Actions implements vscode.Disposable {
  private readonly server: Server;
  private readonly answers: Answers;
  private readonly listening: vscode.Disposable;

  constructor(server: Server, answers: Answers) {
    this.server = server;
    this.answers = answers;
    this.listening = server.onAction((request) => {
      void this.perform(request as Request);
    });
  }

  /** Have an action done where the cursor or the selection of the active editor is. */
  async act(action: Action): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const convert = this.server.converter;
    if (editor === undefined) {
      void vscode.window.showInformationMessage('Open a file first.');
    } else if (convert === undefined || !this.server.offers(ACTION)) {
      void vscode.window.showInformationMessage('This version of the Midline server has no code actions.');
    } else {
      const { document, selection } = editor;
      const diagnostic = action === 'fix' ? diagnosticAt(document, selection) : undefined;
      await this.perform({
        action,
        ...convert.asVersionedTextDocumentIdentifier(document),
        range: convert.asRange(selection),
        ...(diagnostic === undefined ? {} : { diagnostic: convert.asDiagnostic(diagnostic) }),
      } as Request);
    }
  }

  dispose(): void {
    this.listening.dispose();
  }

  private async perform(request: Request): Promise<void> {
    const [title, name] = request.action in TITLES ? TITLES[request.action as Action] : ['working', 'Answer'];
    const reply = parseReply(await executeBusily(this.server, ACTION, request, title));
    if (reply.answer !== undefined) await this.answers.show(name, reply.answer);
    else if (reply.choices !== undefined) await this.choose(request, reply.choices, name);
    else if (reply.message !== undefined)
      void vscode.window.showWarningMessage(`Midline: ${reply.message}`);
    else if (reply.summary !== undefined)
      vscode.window.setStatusBarMessage(`Midline: ${reply.summary}`, SUMMARY_MILLISECONDS);
  }

  private async choose(request: Request, choices: readonly Choice[], name: string): Promise<void> {
    const items = choices.map(({ label, text }, choice) => ({
      label,
      ...(text === '' ? {} : { detail: asOneLine(text) }),
      choice,
    }));
    const chosen = await vscode.window.showQuickPick(items, { title: `Midline: ${name}`, placeHolder: 'Choose one' });
    if (chosen !== undefined) await this.perform({ ...request, choice: chosen.choice });
  }
}

function asOneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 200);
}

// The server's sentences begin with its name already.
function sentenceOf(error: unknown): string {
  const sentence = error instanceof Error ? error.message : String(error);
  return sentence.startsWith('Midline') ? sentence : `Midline: ${sentence}`;
}

/** The worst diagnostic at the selection, or else in its first line. */
function diagnosticAt(
  document: vscode.TextDocument,
  selection: vscode.Selection,
): vscode.Diagnostic | undefined {
  const line = document.lineAt(selection.start.line).range;
  const all = vscode.languages.getDiagnostics(document.uri);
  const [here, near] = [selection, line].map((place) =>
    all
      .filter(({ range }) => range.intersection(place) !== undefined)
      .sort((one, other) => one.severity - other.severity),
  );
  return here?.[0] ?? near?.[0];
}

/**
 * Have the server do a command, with a notification that can cancel it.
 *
 * Undefined where it was cancelled or failed; a failure is told.
 */
export async function executeBusily(
  server: Server,
  command: string,
  request: object,
  title: string,
): Promise<unknown> {
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: `Midline: ${title}`,
    cancellable: true,
  };
  return vscode.window.withProgress(options, async (_, token) => {
    try {
      return await server.progress.busily(() => server.execute(command, [request], token));
    } catch (error) {
      if (!token.isCancellationRequested) void vscode.window.showErrorMessage(sentenceOf(error));
      return undefined;
    }
  });
}
