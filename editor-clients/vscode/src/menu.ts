/** The menu behind the entry of the status bar. */

import * as vscode from 'vscode';
import type { Server } from './server.ts';
import { barItem } from './status.ts';
import { configuration, type Switches } from './switches.ts';

interface Entry extends vscode.QuickPickItem {
  readonly command?: string;
}

/** Show what Midline does now, and what can be switched. */
export async function showMenu(server: Server, switches: Switches): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  const { facts } = barItem(server.status, {
    server: server.state,
    problem: server.problem,
    trusted: vscode.workspace.isTrusted,
    paused: switches.paused,
    quiet: switches.quiet,
    off: switches.offBecause(document),
  });
  const entries = [...remedies(server), ...words(server), ...switched(switches, document), ...more()];
  const choice = await vscode.window.showQuickPick(entries, {
    title: 'Midline',
    placeHolder: facts.join(' · ').slice(0, 160),
  });
  if (choice?.command !== undefined) await vscode.commands.executeCommand(choice.command);
}

/** What mends the state, where it needs mending. */
function remedies(server: Server): Entry[] {
  if (server.state === 'missing')
    return [{ label: '$(cloud-download) Install server...', command: 'midline.install' }];
  if (server.state === 'stopped')
    return [{ label: '$(refresh) Restart server', command: 'midline.restart' }];
  if (server.status?.state === 'noModel')
    return [{ label: '$(cloud-download) Download model...', command: 'midline.download' }];
  return [];
}

function words(server: Server): Entry[] {
  return server.offers('midline.do')
    ? [{ label: '$(comment) Say what to do...', command: 'midline.ask' }]
    : [];
}

function switched(switches: Switches, document: vscode.TextDocument | undefined): Entry[] {
  const entries: Entry[] = [
    switches.paused
      ? { label: '$(debug-start) Resume', command: 'midline.togglePause' }
      : { label: '$(debug-pause) Pause', command: 'midline.togglePause' },
  ];
  if (document !== undefined) {
    const language = document.languageId;
    entries.push(
      onOrOff(!switches.isLanguageOff(language), `Complete ${language}`, 'midline.toggleLanguage'),
      onOrOff(!switches.isFileOff(document.uri), 'Complete this file', 'midline.toggleFile'),
    );
  }
  entries.push(onOrOff(switches.quiet, 'Quiet: only when asked', 'midline.toggleQuiet'));
  return entries;
}

function onOrOff(isOn: boolean, what: string, command: string): Entry {
  return { label: `${isOn ? '$(check)' : '$(blank)'} ${what}`, command };
}

function more(): Entry[] {
  const settings = configuration();
  const model = settings.get<string>('modelFile', '') || settings.get<string>('model', '');
  const sparsity = settings.get<number | null>('sparsity') ?? null;
  return [
    { label: '', kind: vscode.QuickPickItemKind.Separator },
    { label: '$(chip) Model...', description: model, command: 'midline.chooseModel' },
    {
      label: '$(dashboard) Sparsity...',
      description: sparsity === null ? "the model's own" : sparsity.toString(),
      command: 'midline.chooseSparsity',
    },
    { label: '', kind: vscode.QuickPickItemKind.Separator },
    { label: '$(output) Log', command: 'midline.showLog' },
    { label: '$(info) Status', command: 'midline.showStatus' },
    { label: '$(refresh) Restart server', command: 'midline.restart' },
  ];
}
