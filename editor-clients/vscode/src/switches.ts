/** What completes in this window: the pause, single files, languages, and the quiet mode. */

import * as vscode from 'vscode';
import { toggled } from './options.ts';
import { isNoCode } from './withheld.ts';

const FILES = 'offFiles';

/** The switches of this window; files that are off are remembered with the folder. */
export class Switches implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onChanged = this.changed.event;
  private readonly memory: vscode.Memento;
  private isPaused = false;

  constructor(memory: vscode.Memento) {
    this.memory = memory;
  }

  get paused(): boolean {
    return this.isPaused;
  }

  /** Whether only completions that are asked for by hand are made. */
  get quiet(): boolean {
    return configuration().get<boolean>('onlyByHand', false);
  }

  pause(paused: boolean): void {
    this.isPaused = paused;
    this.changed.fire();
  }

  /** Whether the server is told of a document at all. */
  isWithheld(document: vscode.TextDocument): boolean {
    return isNoCode(document) || this.isFileOff(document.uri);
  }

  /** Why nothing is completed in a document; undefined where the server decides. */
  offBecause(document: vscode.TextDocument | undefined): string | undefined {
    if (!configuration().get<boolean>('enabled', true)) return 'Off: the setting midline.enabled is false.';
    if (document === undefined) return undefined;
    if (this.isFileOff(document.uri)) return 'Off in this file.';
    if (this.languages.includes(document.languageId)) return `Off in ${document.languageId}.`;
    return isNoCode(document) ? 'Off here: this is no code.' : undefined;
  }

  /** Whether a completion may be asked for. */
  mayComplete(document: vscode.TextDocument, byHand: boolean): boolean {
    return !this.paused && (byHand || !this.quiet) && this.offBecause(document) === undefined;
  }

  /** Whether a file is off; a cell is where its notebook is. */
  isFileOff(uri: vscode.Uri): boolean {
    return this.files.includes(fileOf(uri));
  }

  isLanguageOff(language: string): boolean {
    return this.languages.includes(language);
  }

  async toggleFile(document: vscode.TextDocument): Promise<void> {
    await this.memory.update(FILES, toggled(this.files, fileOf(document.uri)));
    this.changed.fire();
  }

  async toggleLanguage(language: string): Promise<void> {
    await setOption('disabledLanguages', toggled(this.languages, language));
  }

  async toggleQuiet(): Promise<void> {
    await setOption('onlyByHand', !this.quiet);
  }

  dispose(): void {
    this.changed.dispose();
  }

  private get files(): readonly string[] {
    return this.memory.get<string[]>(FILES, []);
  }

  private get languages(): readonly string[] {
    return configuration().get<string[]>('disabledLanguages', []);
  }
}

/** The file of a document, or of the notebook that a cell is in. */
function fileOf(uri: vscode.Uri): string {
  const notebook = notebookOf(uri);
  return (notebook?.uri ?? uri).toString();
}

/** The open notebook that a cell is in. */
export function notebookOf(uri: vscode.Uri): vscode.NotebookDocument | undefined {
  if (uri.scheme !== 'vscode-notebook-cell') return undefined;
  const cell = uri.toString();
  return vscode.workspace.notebookDocuments.find((notebook) =>
    notebook.getCells().some(({ document }) => document.uri.toString() === cell),
  );
}

/** The settings under `midline`. */
export function configuration(): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration('midline');
}

/** Set an option where the user has set it already, for the user otherwise. */
export async function setOption(name: string, value: unknown): Promise<void> {
  const found = configuration().inspect(name);
  const target =
    found?.workspaceValue === undefined
      ? vscode.ConfigurationTarget.Global
      : vscode.ConfigurationTarget.Workspace;
  await configuration().update(name, value, target);
}
