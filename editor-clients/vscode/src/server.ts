/** The server process and the connection to it: start, end, crash, and what it says of itself. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { homedir } from 'node:os';
import * as vscode from 'vscode';
import {
  CloseAction,
  ErrorAction,
  ExecuteCommandRequest,
  LanguageClient,
  RevealOutputChannelOn,
  State,
  type Code2ProtocolConverter,
  type StaticFeature,
} from 'vscode-languageclient/node';
import { Crashes } from './crashes.ts';
import type { Log } from './log.ts';
import { middleware, renew } from './middleware.ts';
import { crashProblem, startProblem } from './problems.ts';
import { ServerProgress } from './progress.ts';
import { Renewing } from './renewing.ts';
import { parseStatus, type Status, type Window } from './status.ts';
import type { Switches } from './switches.ts';
import { sendSwitched } from './switching.ts';
import { SCHEMES } from './withheld.ts';

const STATUS = 'midline/status';
const CURSOR = 'midline/cursor';
const RENEWED = 'midline/renewed';
const STOP_MILLISECONDS = 3000;
const KEPT_CHARACTERS = 4000;

/** Tells the server what this client does: download a missing model, and ask for a place again. */
const OFFERS: StaticFeature = {
  fillClientCapabilities: (capabilities) => {
    capabilities.experimental = { midlinePull: true, midlineRenewed: true };
  },
  getState: () => ({ kind: 'static' }),
  initialize: () => undefined,
  clear: () => undefined,
};

/** One server for this window; `onChanged` fires when anything of its public state does. */
export class Server implements vscode.Disposable {
  state: Window['server'] = 'missing';
  status: Status | undefined;
  problem: string | undefined;
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onChanged = this.changed.event;
  readonly progress = new ServerProgress();
  private readonly acted = new vscode.EventEmitter<unknown>();
  /** Fires with the argument of an action that was chosen at the light bulb. */
  readonly onAction = this.acted.event;
  private readonly crashes = new Crashes();
  private readonly renewing = new Renewing();
  private readonly log: Log;
  private readonly switches: Switches;
  private readonly options: () => Record<string, unknown>;
  private client: LanguageClient | undefined;
  private said = '';
  private isStopping = false;

  constructor(log: Log, switches: Switches, options: () => Record<string, unknown>) {
    this.log = log;
    this.switches = switches;
    this.options = options;
  }

  /** Start `command`, in place of a server that runs; a failure is told to the user. */
  async start(command: string): Promise<void> {
    await this.stop();
    this.crashes.forget();
    this.said = '';
    this.log.channel.info(`starting ${command} serve`);
    this.set('starting');
    this.client = this.connect(command);
    try {
      await this.client.start();
    } catch (error) {
      this.fail(startProblem(command, error, this.said));
    }
  }

  /** End the server, if there is one. */
  async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    this.status = undefined;
    if (client === undefined) return;
    this.isStopping = true;
    try {
      if (client.needsStop()) await client.stop(STOP_MILLISECONDS);
      await client.dispose();
    } catch (error) {
      this.log.channel.debug(`stopping: ${String(error)}`);
    } finally {
      this.isStopping = false;
    }
  }

  /** Say that there is no server to start, and why, where it is not that none is installed. */
  missing(problem?: string): void {
    this.problem = problem;
    this.set('missing');
  }

  /** Say that the server is being installed. */
  installing(): void {
    this.problem = undefined;
    this.set('installing');
  }

  /** Whether the server has a command of its own. */
  offers(command: string): boolean {
    const provider = this.client?.initializeResult?.capabilities.executeCommandProvider;
    return provider?.commands.includes(command) ?? false;
  }

  /** Have the server do one of its commands. */
  async execute(
    command: string,
    args: readonly unknown[],
    token?: vscode.CancellationToken,
  ): Promise<unknown> {
    const params = { command, arguments: [...args] };
    return await this.client?.sendRequest(ExecuteCommandRequest.type, params, token);
  }

  /** What turns the editor's documents and positions into the protocol's. */
  get converter(): Code2ProtocolConverter | undefined {
    return this.client?.code2ProtocolConverter;
  }

  /** Stop the work that a token of `progress` stands for. */
  async cancel(token: number | string): Promise<void> {
    await this.client?.sendNotification('window/workDoneProgress/cancel', { token });
  }

  /** Give the server the settings of now. */
  async sendSettings(): Promise<void> {
    if (this.client?.isRunning())
      await this.client.sendNotification('workspace/didChangeConfiguration', {
        settings: { midline: this.options() },
      });
  }

  /** Open or close a document for the server, as it is off or not by now. */
  async sendSwitched(document: vscode.TextDocument): Promise<void> {
    const client = this.client;
    if (client?.isRunning()) await sendSwitched(client, document, this.switches.isWithheld(document));
  }

  /** Tell the server where the cursor rests, in a document that it knows. */
  async sendCursor(document: vscode.TextDocument, position: vscode.Position): Promise<void> {
    const client = this.client;
    if (!client?.isRunning()) return;
    const params = client.code2ProtocolConverter.asTextDocumentPositionParams(document, position);
    await client.sendNotification(CURSOR, params);
  }

  dispose(): void {
    void this.stop();
    this.changed.dispose();
    this.progress.dispose();
    this.acted.dispose();
  }

  private connect(command: string): LanguageClient {
    const client = new LanguageClient('midline', 'Midline', () => this.spawn(command), {
      documentSelector: SCHEMES.map((scheme) => ({ scheme })),
      initializationOptions: this.options,
      initializationFailedHandler: () => false,
      outputChannel: this.log.channel,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => this.closed(),
      },
      middleware: middleware(this.switches, this.options, this.progress.handle, (request) => {
        this.acted.fire(request);
      }, (place) => this.renewing.take(place)),
    });
    client.registerFeature(OFFERS);
    client.onNotification(STATUS, (params: unknown) => {
      this.take(params);
    });
    client.onNotification(RENEWED, (params: unknown) => renew(this.renewing, params));
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Running) void this.began(client);
    });
    return client;
  }

  private async spawn(command: string): Promise<ChildProcess> {
    const child = spawn(command, ['serve'], { cwd: homedir(), stdio: 'pipe' });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.said = (this.said + text).slice(-KEPT_CHARACTERS);
    });
    await once(child, 'spawn');
    return child;
  }

  private async began(client: LanguageClient): Promise<void> {
    this.set('running');
    try {
      this.take(await client.sendRequest(STATUS));
    } catch {
      this.log.channel.info('this server does not tell its status');
    }
  }

  private closed(): { action: CloseAction; handled: boolean } {
    const wasUp = this.state === 'running';
    if (this.isStopping || !wasUp) return { action: CloseAction.DoNotRestart, handled: true };
    this.status = undefined;
    if (this.crashes.mayRestart()) {
      this.log.channel.warn('the server ended and is started again');
      this.set('starting');
      return { action: CloseAction.Restart, handled: true };
    }
    this.fail(crashProblem(this.said));
    return { action: CloseAction.DoNotRestart, handled: true };
  }

  private take(params: unknown): void {
    this.status = parseStatus(params) ?? this.status;
    this.changed.fire();
  }

  private fail(sentence: string): void {
    this.set('stopped');
    this.log.channel.error(sentence);
    void vscode.window.showErrorMessage(sentence, 'Restart', 'Show Log').then((choice) => {
      if (choice === 'Restart') void vscode.commands.executeCommand('midline.restart');
      if (choice === 'Show Log') void vscode.commands.executeCommand('midline.showLog');
    });
  }

  private set(state: Window['server']): void {
    this.state = state;
    this.changed.fire();
  }
}
