/** VS Code as a web application (code-server), with the packaged extension and a project. */

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import * as path from 'node:path';

export const TOOLS = required('VSCODE_TOOLS');
const VSIX = required('VSIX');
export const MIDLINE = required('MIDLINE');
const ENTRY = path.join(TOOLS, 'code-server/node_modules/code-server/out/node/entry.js');

/** Keeps what is not Midline from the screen. */
const SETTINGS = {
  'chat.disableAIFeatures': true,
  'workbench.startupEditor': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.welcomePage.walkthroughs.openOnInstall': false,
  'telemetry.telemetryLevel': 'off',
  'editor.minimap.enabled': false,
  'editor.wordBasedSuggestions': 'off',
  'editor.fontSize': 15,
  'window.commandCenter': false,
  'workbench.editor.useModal': 'off',
  'files.autoSave': 'off',
  '[jsonc]': {
    'editor.autoClosingBrackets': 'never',
    'editor.autoClosingQuotes': 'never',
    'editor.autoIndent': 'none',
  },
};

export interface Options {
  readonly files: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Folders of Midline's cache that are shared with the user's; the others begin empty. */
  readonly shared?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether folders have to be trusted; without it all are. */
  readonly trust?: boolean;
  /** Whether `~` is a folder of this VS Code's own. */
  readonly privateHome?: boolean;
}

/** A running VS Code; `project` is the folder that windows open, `home` is Midline's own. */
export class CodeServer {
  readonly root: string;
  readonly project: string;
  readonly home: string;
  readonly url: string;
  private readonly process: ChildProcess;

  private constructor(root: string, port: number, process: ChildProcess) {
    this.root = root;
    this.project = path.join(root, 'project');
    this.home = path.join(root, 'midline');
    this.url = `http://127.0.0.1:${port.toString()}/?folder=${this.project}`;
    this.process = process;
  }

  static async start(options: Options): Promise<CodeServer> {
    const root = mkdtempSync(path.join(tmpdir(), 'midline-vscode-'));
    write(path.join(root, 'project'), options.files);
    const settings = { ...SETTINGS, 'midline.command': MIDLINE, ...options.settings };
    write(path.join(root, 'user/User'), { 'settings.json': JSON.stringify(settings, null, 2) });
    shareCache(path.join(root, 'midline'), options.shared ?? ['models', 'packed', 'profiles']);
    const folders = [
      `--user-data-dir=${path.join(root, 'user')}`,
      `--extensions-dir=${path.join(root, 'extensions')}`,
    ];
    const done = spawnSync(process.execPath, [ENTRY, ...folders, '--install-extension', VSIX]);
    if (done.status !== 0) throw new Error(String(done.stderr));
    const port = await freePort();
    const child = spawn(
      process.execPath,
      [
        ENTRY, ...folders, '--auth', 'none', '--bind-addr', `127.0.0.1:${port.toString()}`,
        '--disable-telemetry', '--disable-update-check',
        ...(options.trust === true ? [] : ['--disable-workspace-trust']),
        path.join(root, 'project'),
      ],
      {
        stdio: 'ignore',
        detached: true,
        env: environment(root, options),
      },
    );
    const editor = new CodeServer(root, port, child);
    running.add(editor);
    await answers(`http://127.0.0.1:${port.toString()}/healthz`);
    return editor;
  }

  /** The text of a file of the project, as it is on the disk. */
  read(name: string): string {
    return readFileSync(path.join(this.project, name), 'utf8');
  }

  /** The user's settings of now. */
  settings(): Record<string, unknown> {
    const file = path.join(this.root, 'user/User/settings.json');
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  }

  /** The servers that windows of this VS Code have started, by their process ids. */
  servers(): number[] {
    return this.processes(/ serve /);
  }

  /** The engine processes that they share. */
  engines(): number[] {
    return this.processes(/ engine run /);
  }

  // `ps e` shows the environment behind the command, by which another user's are told apart.
  private processes(command: RegExp): number[] {
    const listed = spawnSync('ps', ['-eo', 'pid,args', 'e', 'ww'], { encoding: 'utf8' }).stdout;
    return listed
      .split('\n')
      .filter((line) => command.test(line) && line.includes(`MIDLINE_HOME=${this.home}`))
      .map((line) => Number.parseInt(line.trim(), 10));
  }

  /** End it and everything that it started, and remove its files. */
  async stop(): Promise<void> {
    running.delete(this);
    if (this.process.pid !== undefined && this.process.exitCode === null) {
      const ended = once(this.process, 'exit');
      process.kill(-this.process.pid, 'SIGTERM');
      await Promise.race([ended, pause(5000)]);
    }
    this.kill();
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }

  /** End at once what is left. */
  kill(): void {
    if (this.process.pid !== undefined) endProcess(-this.process.pid);
    for (const pid of [...this.servers(), ...this.engines()]) endProcess(pid);
  }
}

const running = new Set<CodeServer>();

// A test that takes too long is ended by a signal, before it could end what it started.
process.on('SIGTERM', () => {
  for (const editor of running) editor.kill();
  process.exit(1);
});

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Kill one process, which may have ended meanwhile. */
export function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone, which is what was wanted.
  }
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

function shareCache(home: string, names: readonly string[]): void {
  mkdirSync(home, { recursive: true });
  const cache = path.join(homedir(), '.cache', 'midline');
  for (const name of names)
    if (existsSync(path.join(cache, name)))
      symlinkSync(path.join(cache, name), path.join(home, name));
}

function environment(root: string, options: Options): NodeJS.ProcessEnv {
  const home = options.privateHome === true ? { HOME: path.join(root, 'home') } : {};
  const own = { MIDLINE_HOME: path.join(root, 'midline') };
  return { ...process.env, ...own, ...home, ...options.environment };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function answers(url: string): Promise<void> {
  for (let left = 300; left > 0; left -= 1) {
    try {
      if ((await fetch(url)).ok) return;
    } catch {
      // Not listening yet.
    }
    await pause(100);
  }
  throw new Error(`nothing answers at ${url}`);
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '')
    throw new Error(`${name} is not set; run these tests by make test-vscode`);
  return value;
}
