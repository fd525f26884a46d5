/** The entry of the status bar. */

import * as vscode from 'vscode';
import type { Server } from './server.ts';
import { barItem, type BarItem } from './status.ts';
import type { Switches } from './switches.ts';

const COLORS: Record<BarItem['level'], vscode.ThemeColor | undefined> = {
  normal: undefined,
  warning: new vscode.ThemeColor('statusBarItem.warningBackground'),
  error: new vscode.ThemeColor('statusBarItem.errorBackground'),
};

/** Follows the server, the switches and the active editor; a click opens the menu. */
export class Bar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem(
    'midline',
    vscode.StatusBarAlignment.Right,
    100,
  );
  private readonly listeners: vscode.Disposable[];
  private readonly server: Server;
  private readonly switches: Switches;

  constructor(server: Server, switches: Switches) {
    this.server = server;
    this.switches = switches;
    const update = (): void => {
      this.update();
    };
    this.listeners = [
      server.onChanged(update),
      switches.onChanged(update),
      vscode.window.onDidChangeActiveTextEditor(update),
      vscode.workspace.onDidChangeConfiguration(update),
      vscode.workspace.onDidGrantWorkspaceTrust(update),
    ];
    this.item.name = 'Midline';
    this.item.command = 'midline.menu';
    this.update();
    this.item.show();
  }

  dispose(): void {
    for (const listener of this.listeners) listener.dispose();
    this.item.dispose();
  }

  private update(): void {
    const { text, facts, level } = barItem(this.server.status, {
      server: this.server.state,
      problem: this.server.problem,
      trusted: vscode.workspace.isTrusted,
      paused: this.switches.paused,
      quiet: this.switches.quiet,
      off: this.switches.offBecause(vscode.window.activeTextEditor?.document),
    });
    this.item.text = text;
    this.item.backgroundColor = COLORS[level];
    this.item.tooltip = new vscode.MarkdownString(
      ['**Midline**', ...facts.map((fact) => fact.replace(/[\\`*_{}[\]<>#|]/g, '\\$&'))].join(
        '\n\n',
      ),
    );
    this.item.accessibilityInformation = { label: ['Midline.', ...facts].join(' ') };
  }
}
