/** Activation: finds or installs the server, starts it, and wires the parts to each other. */

import { homedir } from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { Actions } from './actions.ts';
import { Answers } from './answers.ts';
import { askInWords } from './ask.ts';
import { Bar } from './bar.ts';
import { findMidline, type Found, type Places } from './finding.ts';
import { install } from './install.ts';
import { Log } from './log.ts';
import { showMenu } from './menu.ts';
import { optionsOfNow } from './middleware.ts';
import { chooseModel, download, downloadChosen, modelsOf, type Enumerated, type Model } from './models.ts';
import { chooseSparsity } from './sparsity.ts';
import { StatusPage } from './page.ts';
import { CursorRest } from './cursor.ts';
import { Server } from './server.ts';
import { configuration, Switches } from './switches.ts';

let extension: Extension | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  extension = new Extension(context);
  context.subscriptions.push(extension);
  await extension.begin();
}

export async function deactivate(): Promise<void> {
  await extension?.server.stop();
}

interface Manifest {
  readonly contributes: {
    readonly configuration: { readonly properties: Record<string, Enumerated> };
  };
}

class Extension implements vscode.Disposable {
  readonly server: Server;
  private readonly context: vscode.ExtensionContext;
  private readonly log = new Log();
  private readonly switches: Switches;
  private readonly page: StatusPage;
  private readonly answers = new Answers();
  private readonly actions: Actions;
  private readonly models: readonly Model[];
  private readonly parts: vscode.Disposable;
  private hasOffered = false;

  constructor(context: vscode.ExtensionContext) {
    this.context = context;
    const { properties } = (context.extension.packageJSON as Manifest).contributes.configuration;
    const names = Object.keys(properties).map((name) => name.replace('midline.', ''));
    this.models = modelsOf(properties['midline.model']);
    this.switches = new Switches(context.workspaceState);
    this.server = new Server(this.log, this.switches, () => optionsOfNow(names));
    this.actions = new Actions(this.server, this.answers);
    this.page = new StatusPage(this.server, this.switches, this.log, () => this.find());
    this.parts = vscode.Disposable.from(
      new Bar(this.server, this.switches),
      this.page,
      this.answers,
      this.actions,
      new CursorRest(this.server, this.switches),
      this.server,
      this.switches,
      this.server.onChanged(() => {
        this.follow();
      }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        void this.configured(event);
      }),
      vscode.workspace.onDidGrantWorkspaceTrust(() => {
        void this.server.sendSettings();
      }),
      ...this.commands(),
      this.log,
    );
  }

  dispose(): void {
    this.parts.dispose();
  }

  /** Start the server; offer the installation where there is none. */
  async begin(): Promise<void> {
    const found = this.find();
    const command = 'command' in found ? found.command : undefined;
    void vscode.commands.executeCommand('setContext', 'midline.found', command !== undefined);
    if (command !== undefined) {
      this.server.problem = undefined;
      await this.server.start(command);
      return;
    }
    await this.server.stop();
    const problem = 'problem' in found ? found.problem : undefined;
    this.server.missing(problem);
    if (problem !== undefined) this.tellWrongSetting(problem);
    else void this.offerInstallation();
  }

  private find(): Found {
    return findMidline(this.places());
  }

  private places(): Places {
    return {
      setting: configuration().get('command', ''),
      searchPath: process.env['PATH'] ?? '',
      environment: path.join(this.context.globalStorageUri.fsPath, 'environment'),
      home: homedir(),
      platform: process.platform,
    };
  }

  private command(): string | undefined {
    const found = this.find();
    return 'command' in found ? found.command : undefined;
  }

  private tellWrongSetting(sentence: string): void {
    this.log.channel.error(sentence);
    void vscode.window.showErrorMessage(sentence, 'Open Settings').then((choice) => {
      if (choice !== undefined)
        void vscode.commands.executeCommand('workbench.action.openSettings', 'midline.command');
    });
  }

  private async offerInstallation(): Promise<void> {
    const choice = await vscode.window.showInformationMessage(
      'Midline completes code with a model on this machine. Its server is not installed yet.',
      'Install...',
      'How It Works',
      'Not Now',
    );
    if (choice === 'Install...') await this.install();
    if (choice === 'How It Works')
      await vscode.commands.executeCommand(
        'workbench.action.openWalkthrough',
        'midline.midline#start',
      );
  }

  private async install(): Promise<void> {
    const outcome = await install(this.context, this.places(), this.log, async () => {
      await this.server.stop();
      this.server.installing();
    });
    if (outcome === 'declined') return;
    if (outcome === 'installed' || this.command() !== undefined) await this.begin();
    else this.server.missing();
  }

  private follow(): void {
    const state = this.server.status?.state;
    const isReady = state === 'ready' || state === 'thinking';
    void vscode.commands.executeCommand('setContext', 'midline.ready', isReady);
    if (state !== 'noModel') this.hasOffered = false;
    else if (!this.hasOffered) void this.offerDownload();
  }

  private async offerDownload(): Promise<void> {
    this.hasOffered = true;
    const name = configuration().get<string>('model', '');
    const about = this.models.find((model) => model.name === name)?.about ?? '';
    const choice = await vscode.window.showInformationMessage(
      `Midline has no model yet. Download ${name}? It is ${about || 'downloaded once'}.`,
      'Download',
      'Other Model...',
      'Not Now',
    );
    if (choice === 'Download') await download(this.server, this.command(), name);
    if (choice === 'Other Model...') await chooseModel(this.models);
  }

  private async configured(event: vscode.ConfigurationChangeEvent): Promise<void> {
    if (!event.affectsConfiguration('midline')) return;
    if (event.affectsConfiguration('midline.command')) await this.begin();
    else await this.server.sendSettings();
  }

  private commands(): vscode.Disposable[] {
    const actions: Record<string, () => Promise<void> | void> = {
      menu: () => this.menu(),
      ask: () => askInWords(this.server, this.answers),
      writeDocstring: () => this.actions.act('docstring'),
      explain: () => this.actions.act('explain'),
      fix: () => this.actions.act('fix'),
      writeTests: () => this.actions.act('tests'),
      translate: () => this.actions.act('translate'),
      completeBody: () => this.actions.act('complete'),
      togglePause: () => this.togglePause(),
      toggleLanguage: () => this.withDocument((d) => this.switches.toggleLanguage(d.languageId)),
      toggleFile: () => this.withDocument((document) => this.toggleFile(document)),
      toggleQuiet: () => this.switches.toggleQuiet(),
      chooseModel: () => chooseModel(this.models),
      chooseSparsity,
      download: () => downloadChosen(this.server, this.command(), this.models),
      install: () => this.install(),
      restart: () => this.begin(),
      showLog: () => {
        this.log.show();
      },
      showStatus: () => this.page.show(),
    };
    return Object.entries(actions).map(([name, action]) =>
      vscode.commands.registerCommand(`midline.${name}`, action),
    );
  }

  private async menu(): Promise<void> {
    if (this.server.problem !== undefined) this.tellWrongSetting(this.server.problem);
    else if (this.server.state === 'missing') await this.install();
    else await showMenu(this.server, this.switches);
  }

  private async togglePause(): Promise<void> {
    const paused = !this.switches.paused;
    this.switches.pause(paused);
    const command = paused ? 'midline.pause' : 'midline.resume';
    if (this.server.offers(command)) await this.server.execute(command, []);
  }

  private async toggleFile(document: vscode.TextDocument): Promise<void> {
    await this.switches.toggleFile(document);
    await this.server.sendSwitched(document);
  }

  private async withDocument(
    action: (document: vscode.TextDocument) => Promise<void>,
  ): Promise<void> {
    const document = vscode.window.activeTextEditor?.document;
    if (document !== undefined) await action(document);
    else void vscode.window.showInformationMessage('Open a file first.');
  }
}
