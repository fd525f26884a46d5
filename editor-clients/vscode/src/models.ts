/** Choosing and downloading a model. */

import * as vscode from 'vscode';
import { spawn } from 'node:child_process';
import { homedir } from 'node:os';
import { causeOf } from './installing.ts';
import type { Server } from './server.ts';
import { configuration, setOption } from './switches.ts';

const PULL = 'midline.pullModel';

/** A model of the catalogue as the manifest describes it. */
export interface Model {
  readonly name: string;
  readonly about: string;
}

/** Let the user choose a model of the catalogue, and make it the setting. */
export async function chooseModel(models: readonly Model[]): Promise<void> {
  const model = await pick(models, 'Model that completes');
  if (model === undefined) return;
  await setOption('model', model.name);
  if (configuration().get<string>('modelFile', '') !== '') await setOption('modelFile', '');
}

/** Ask for a model and download it. */
export async function downloadChosen(
  server: Server,
  command: string | undefined,
  models: readonly Model[],
): Promise<void> {
  const model = await pick(models, 'Model to download');
  if (model === undefined) return;
  await download(server, command, model.name);
  if (server.status?.model === model.name) await setOption('model', model.name);
}

/**
 * Download a model in the window, with progress and a way to stop.
 *
 * The server does it and loads the model. One that cannot, of an older version, is restarted after
 * the command line has done it.
 */
export async function download(
  server: Server,
  command: string | undefined,
  name: string,
): Promise<void> {
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: `Midline: downloading ${name}`,
    cancellable: true,
  };
  try {
    await vscode.window.withProgress(options, async (progress, token) => {
      if (server.offers(PULL)) await byServer(server, name, progress, token);
      else if (command !== undefined) await byCommand(command, name, progress, token);
      else throw new Error('the server is not installed; run Midline: Install Server first');
    });
  } catch (error) {
    if (error instanceof vscode.CancellationError) return;
    const said = error instanceof Error ? error.message : String(error);
    const cause = said.replace(/^Midline: /, '');
    const choice = await vscode.window.showErrorMessage(
      `Midline could not download ${name}: ${cause}`,
      'Try Again',
      'Show Log',
    );
    if (choice === 'Try Again') await download(server, command, name);
    if (choice === 'Show Log') await vscode.commands.executeCommand('midline.showLog');
  }
}

type Report = vscode.Progress<{ message?: string; increment?: number }>;

async function byServer(
  server: Server,
  name: string,
  progress: Report,
  token: vscode.CancellationToken,
): Promise<void> {
  let shown = 0;
  const listener = server.progress.onReport(({ token: work, value }) => {
    if (value.kind === 'begin')
      token.onCancellationRequested(() => {
        void server.cancel(work);
      });
    if (value.kind === 'end') return;
    const percentage = value.percentage ?? shown;
    const message = value.message ?? `${percentage.toString()}%`;
    progress.report({ message, increment: Math.max(0, percentage - shown) });
    shown = Math.max(shown, percentage);
  });
  try {
    await server.execute(PULL, [name], token);
  } finally {
    listener.dispose();
  }
  if (token.isCancellationRequested) throw new vscode.CancellationError();
}

async function byCommand(
  command: string,
  name: string,
  progress: Report,
  token: vscode.CancellationToken,
): Promise<void> {
  progress.report({ message: `midline model pull ${name}` });
  const child = spawn(command, ['model', 'pull', name], { cwd: homedir() });
  token.onCancellationRequested(() => child.kill('SIGINT'));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  if (token.isCancellationRequested) throw new vscode.CancellationError();
  if (status !== 0) throw new Error(causeOf(said));
  await vscode.commands.executeCommand('midline.restart');
}

async function pick(models: readonly Model[], placeHolder: string): Promise<Model | undefined> {
  const current = configuration().get<string>('model');
  const items = models.map((model) => ({
    model,
    label: model.name,
    description: model.name === current ? 'chosen' : '',
    detail: model.about,
  }));
  return (await vscode.window.showQuickPick(items, { placeHolder }))?.model;
}

/** A setting of the manifest with named values. */
export interface Enumerated {
  readonly enum?: string[];
  readonly enumDescriptions?: string[];
}

/** The models that the manifest names. */
export function modelsOf(schema: Enumerated | undefined): Model[] {
  return (schema?.enum ?? []).map((name, index) => ({
    name,
    about: schema?.enumDescriptions?.[index] ?? '',
  }));
}
