/** The server's `midline/status`, and what the status bar makes of it. */

export const STATES = ['loading', 'ready', 'thinking', 'noModel', 'paused', 'failed'] as const;
export type State = (typeof STATES)[number];

/** Parameters of `midline/status`. */
export interface Status {
  readonly state: State;
  readonly message: string;
  readonly model: string | undefined;
  readonly progress: number | undefined;
  readonly tokensPerSecond: number | undefined;
  readonly lastMilliseconds: number | undefined;
  readonly silent: string | undefined;
}

/** What the extension knows besides: whether a server runs, and the switches of this window. */
export interface Window {
  readonly server: 'missing' | 'installing' | 'starting' | 'running' | 'stopped';
  readonly paused: boolean;
  readonly quiet: boolean;
  readonly off: string | undefined;
  /** Why there is no server to start, where it is not that none is installed. */
  readonly problem?: string | undefined;
  readonly trusted?: boolean;
}

/** The entry of the status bar; `facts` are the lines of its tooltip. */
export interface BarItem {
  readonly text: string;
  readonly facts: readonly string[];
  readonly level: 'normal' | 'warning' | 'error';
}

/** The parameters if they are a status; a field of a wrong type counts as not known. */
export function parseStatus(params: unknown): Status | undefined {
  if (typeof params !== 'object' || params === null) return undefined;
  const given = params as Record<string, unknown>;
  const state = STATES.find((name) => name === given['state']);
  if (state === undefined) return undefined;
  const model = text(given['model']);
  return {
    // Before it has been told of a model, the server has none.
    state: state === 'noModel' && model === undefined ? 'loading' : state,
    message: text(given['message']) ?? '',
    model,
    progress: number(given['progress']),
    tokensPerSecond: number(given['tokensPerSecond']),
    lastMilliseconds: number(given['lastMilliseconds']),
    silent: text(given['silent']),
  };
}

/** What the status bar shows; `status` is undefined where the server does not tell. */
export function barItem(status: Status | undefined, window: Window): BarItem {
  const without = withoutServer(window);
  if (without !== undefined) return without;
  const facts = factsOf(status, window);
  if (window.paused || status?.state === 'paused')
    return { text: '$(debug-pause) Midline', facts: ['Paused.', ...facts], level: 'normal' };
  if (window.off !== undefined)
    return { text: '$(circle-slash) Midline', facts: [window.off, ...facts], level: 'normal' };
  return byState(status, window, facts);
}

function withoutServer(window: Window): BarItem | undefined {
  switch (window.server) {
    case 'missing':
      if (window.problem !== undefined)
        return { text: '$(error) Midline: not found', facts: [window.problem], level: 'error' };
      return {
        text: '$(warning) Midline: install',
        facts: ['The server is not installed; click to install it.'],
        level: 'warning',
      };
    case 'stopped':
      return {
        text: '$(error) Midline: stopped',
        facts: ['The server ended; click to restart it.'],
        level: 'error',
      };
    case 'installing':
      return {
        text: '$(loading~spin) Midline: installing',
        facts: ['The server is being installed.'],
        level: 'normal',
      };
    case 'starting':
      return { text: '$(loading~spin) Midline', facts: ['Starting.'], level: 'normal' };
    case 'running':
      return undefined;
  }
}

function byState(status: Status | undefined, window: Window, facts: readonly string[]): BarItem {
  switch (status?.state) {
    case 'loading': {
      const share = status.progress === undefined ? '' : ` ${percent(status.progress)}`;
      return { text: `$(loading~spin) Midline${share}`, facts, level: 'normal' };
    }
    case 'thinking':
      return { text: '$(loading~spin) Midline', facts, level: 'normal' };
    case 'noModel':
      return { text: '$(warning) Midline: no model', facts, level: 'warning' };
    case 'failed':
      return { text: '$(error) Midline: failed', facts, level: 'error' };
    default:
      return { text: window.quiet ? '$(bell-slash) Midline' : '$(sparkle) Midline', facts, level: 'normal' };
  }
}

function factsOf(status: Status | undefined, window: Window): string[] {
  const facts: string[] = [];
  if (status?.message) facts.push(status.message);
  // Most messages name the model.
  const isNamed = status?.model !== undefined && status.message.includes(status.model);
  if (status?.model !== undefined && !isNamed) facts.push(`Model: ${status.model}`);
  if (status?.tokensPerSecond !== undefined)
    facts.push(`Speed: ${status.tokensPerSecond.toFixed(0)} tokens/s`);
  if (status?.lastMilliseconds !== undefined)
    facts.push(`Last answer: ${status.lastMilliseconds.toFixed(0)} ms`);
  if (status?.silent !== undefined) facts.push(`Silent here: ${status.silent}`);
  if (window.quiet) facts.push('Quiet: completes only when asked (Alt+\\).');
  if (window.trusted === false)
    facts.push('Folder not trusted: its settings of programs and models are not taken.');
  return facts;
}

function percent(share: number): string {
  return `${Math.floor(100 * Math.min(1, Math.max(0, share))).toString()}%`;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
