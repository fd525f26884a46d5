/** Installing the server into an environment of its own, from the window. */

import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { findProgram, type Places } from './finding.ts';
import { asTyped, causeOf, installSteps, PYTHON_NAMES, type Step } from './installing.ts';
import type { Log } from './log.ts';
import { configuration } from './switches.ts';

const NEEDS = 'Midline needs Python 3.11 or newer, or uv; install one of them and try again.';

export type Outcome = 'declined' | 'failed' | 'installed';

/**
 * Ask, and install.
 *
 * What will be run is said before, and its output is kept in the log. `begin` is called when the
 * user has agreed.
 */
export async function install(
  context: vscode.ExtensionContext,
  places: Places,
  log: Log,
  begin: () => Promise<void>,
): Promise<Outcome> {
  const source = sourceOf(context);
  const tools = {
    uv: findProgram(['uv'], places),
    python: await firstPython(places),
  };
  const steps = installSteps(tools, places.environment, source, places.platform);
  if (steps === undefined) {
    void vscode.window.showErrorMessage(NEEDS);
    return 'declined';
  }
  const choice = await vscode.window.showInformationMessage(
    'Install the Midline server into an environment of its own?',
    {
      modal: true,
      detail: `This is run, and fetches packages from your Python package index:\n\n${asTyped(steps).replaceAll('\n', '\n\n')}`,
    },
    'Install',
  );
  if (choice !== 'Install') return 'declined';
  await begin();
  return (await runAll(steps, places, log)) ? 'installed' : 'failed';
}

/** What is installed: the setting, or the sources of the server that come with the extension. */
function sourceOf(context: vscode.ExtensionContext): string {
  const setting = configuration().get('installFrom', '').trim();
  if (setting !== '') return setting;
  const folder = path.join(context.extensionPath, 'dist', 'server');
  const archive = readdirSync(folder).find((name) => name.endsWith('.tar.gz'));
  if (archive === undefined) throw new Error(`${folder} holds no sources of the server`);
  return path.join(folder, archive);
}

async function firstPython(places: Places): Promise<string | undefined> {
  for (const name of PYTHON_NAMES) {
    const python = findProgram([name], places);
    if (python === undefined) continue;
    const check = 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))';
    if ((await run([python, '-c', check], () => undefined)).status === 0) return python;
  }
  return undefined;
}

async function runAll(steps: readonly Step[], places: Places, log: Log): Promise<boolean> {
  mkdirSync(path.dirname(places.environment), { recursive: true });
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: 'Midline: installing the server',
    cancellable: true,
  };
  return vscode.window.withProgress(options, async (progress, token) => {
    for (const step of steps) {
      log.channel.info(`$ ${asTyped([step])}`);
      const { status, said } = await run(
        step,
        (line) => {
          log.channel.info(line);
          progress.report({ message: line.slice(0, 80) });
        },
        token,
      );
      if (token.isCancellationRequested) return false;
      if (status !== 0) {
        failed(causeOf(said));
        return false;
      }
    }
    return true;
  });
}

function failed(cause: string): void {
  void vscode.window
    .showErrorMessage(`Midline could not be installed: ${cause}`, 'Try Again', 'Show Log')
    .then((choice) => {
      if (choice === 'Try Again') void vscode.commands.executeCommand('midline.install');
      if (choice === 'Show Log') void vscode.commands.executeCommand('midline.showLog');
    });
}

interface Ended {
  readonly status: number | null;
  readonly said: string;
}

function run(
  [program, ...words]: Step,
  onLine: (line: string) => void,
  token?: vscode.CancellationToken,
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(program, words, { cwd: homedir(), stdio: ['ignore', 'pipe', 'pipe'] });
    const stop = token?.onCancellationRequested(() => child.kill());
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        for (const line of text.split(/[\r\n]+/)) if (line.trim() !== '') onLine(line.trim());
      });
    }
    const end = (status: number | null): void => {
      stop?.dispose();
      resolve({ status, said });
    };
    child.on('error', (error) => {
      said += error.message;
      end(null);
    });
    child.on('close', end);
  });
}
