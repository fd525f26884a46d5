/** The status page: everything that is known about the server, as a Markdown preview. */

import * as vscode from 'vscode';
import type { Found } from './finding.ts';
import type { Log } from './log.ts';
import type { Server } from './server.ts';
import { barItem } from './status.ts';
import { configuration, type Switches } from './switches.ts';

const PAGE = vscode.Uri.parse('midline-status:Midline.md');

/** Serves the text of the page, and keeps it up to date. */
export class StatusPage implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private readonly registration: vscode.Disposable;
  private readonly server: Server;
  private readonly switches: Switches;
  private readonly log: Log;
  private readonly found: () => Found;

  constructor(server: Server, switches: Switches, log: Log, found: () => Found) {
    this.server = server;
    this.switches = switches;
    this.log = log;
    this.found = found;
    this.registration = vscode.Disposable.from(
      vscode.workspace.registerTextDocumentContentProvider(PAGE.scheme, this),
      server.onChanged(() => {
        this.changed.fire(PAGE);
      }),
    );
  }

  async show(): Promise<void> {
    this.changed.fire(PAGE);
    await vscode.commands.executeCommand('markdown.showPreview', PAGE);
  }

  provideTextDocumentContent(): string {
    const { facts } = barItem(this.server.status, {
      server: this.server.state,
      problem: this.server.problem,
      trusted: vscode.workspace.isTrusted,
      paused: this.switches.paused,
      quiet: this.switches.quiet,
      off: undefined,
    });
    const status = this.server.status;
    const rows = [
      ['Server', this.server.state],
      ['State', status?.state],
      ['Model', status?.model],
      ['Speed', status?.tokensPerSecond && `${status.tokensPerSecond.toFixed(1)} tokens/s`],
      ['Last answer', status?.lastMilliseconds && `${status.lastMilliseconds.toFixed(0)} ms`],
      ['Silent at the last request', status?.silent],
      ['Program', programOf(this.found())],
      ['Log of the server', this.log.serverLog],
      ['Trusted folder', vscode.workspace.isTrusted ? 'yes' : 'no: its settings are not taken'],
    ].filter(([, value]) => value !== undefined && value !== '');
    return [
      '# Midline',
      facts[0] ?? 'Completes as you type.',
      '| | |\n|---|---|\n' + rows.map(([name, value]) => `| ${name} | ${value} |`).join('\n'),
      `${whatLeaves()} Nothing is reported. \`midline doctor\` in a terminal checks the processor, ` +
        'the kernels and the model file.',
    ].join('\n\n');
  }

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
  }
}

// Servers that can use an engine elsewhere have a setting of its address.
function whatLeaves(): string {
  const endpoint = configuration().get<string | null>('endpoint');
  return endpoint ? `Prompts are sent to ${endpoint}.` : 'Nothing you write leaves this machine.';
}

function programOf(found: Found): string {
  if (!('command' in found)) return found.problem ?? 'not installed';
  const origin = { setting: 'by setting', path: 'on the PATH', environment: 'own environment' };
  return `${found.command} (${origin[found.from]})`;
}
