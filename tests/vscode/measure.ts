/**
 * Time from a key to ghost text on the screen: reads its work from standard input as JSON, types, and
 * writes the times to standard output.
 */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { CodeServer, TOOLS } from './editor/code_server.ts';
import { GHOST, startBrowser, Window } from './editor/window.ts';

const PATIENCE = 2500;
const BETWEEN_KEYS = 120;

interface Work {
  readonly name: string;
  readonly before: string;
  readonly text: string;
  readonly samples: number;
  readonly settings: Readonly<Record<string, unknown>>;
}

interface Times {
  /** From a key without ghost text before it to the first frame with some, in milliseconds. */
  readonly screen: number[];
  /** What the server said that these answers took. */
  readonly server: number[];
  silent: number;
}

/** What the page keeps: when the last key came, and when ghost text was seen after it. */
declare global {
  // eslint-disable-next-line no-var
  var timing: { key: number; had: boolean; seen: number | undefined };
}

async function watch(window: Window): Promise<void> {
  await window.page.evaluate((ghost) => {
    globalThis.timing = { key: 0, had: false, seen: undefined };
    addEventListener(
      'keydown',
      () => {
        const had = document.querySelector(ghost) !== null;
        globalThis.timing = { key: performance.now(), had, seen: undefined };
      },
      true,
    );
    const look = (): void => {
      const now = globalThis.timing;
      if (now.seen === undefined && document.querySelector(ghost) !== null)
        now.seen = performance.now();
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, GHOST);
}

async function timeKey(window: Window, times: Times): Promise<void> {
  const had = await window.page.evaluate(() => globalThis.timing.had);
  if (had) {
    await window.page.waitForTimeout(BETWEEN_KEYS);
    return;
  }
  try {
    await window.page.waitForFunction(() => globalThis.timing.seen !== undefined, undefined, {
      timeout: PATIENCE,
    });
  } catch {
    times.silent += 1;
    return;
  }
  const { key, seen } = await window.page.evaluate(() => globalThis.timing);
  if (seen !== undefined) times.screen.push(seen - key);
  await window.page.waitForTimeout(BETWEEN_KEYS);
  const told = /Last answer: (\d+) ms/.exec((await window.bar.getAttribute('aria-label')) ?? '');
  if (told?.[1] !== undefined) times.server.push(Number(told[1]));
}

async function type(window: Window, work: Work): Promise<Times> {
  const times: Times = { screen: [], server: [], silent: 0 };
  for (const character of work.text) {
    if (times.screen.length >= work.samples) break;
    await window.press(character === '\n' ? 'Enter' : character === ' ' ? 'Space' : character);
    if (/\s/.test(character)) await window.page.waitForTimeout(BETWEEN_KEYS);
    else await timeKey(window, times);
  }
  return times;
}

const work = JSON.parse(readFileSync(0, 'utf8')) as Work;
const plain = {
  'editor.autoIndent': 'none',
  'editor.autoClosingBrackets': 'never',
  'editor.autoClosingQuotes': 'never',
  'editor.quickSuggestions': false,
  'editor.suggestOnTriggerCharacters': false,
  'editor.parameterHints.enabled': false,
};
const editor = await CodeServer.start({
  files: { [work.name]: work.before },
  settings: { ...plain, ...work.settings },
});
try {
  const browser = await startBrowser();
  try {
    const window = await Window.open(browser, editor);
    await window.isReady();
    await window.openFile(work.name);
    await watch(window);
    const times = await type(window, work);
    const listed = spawnSync(process.execPath, [
      path.join(TOOLS, 'code-server/node_modules/code-server/out/node/entry.js'),
      '--version',
    ]);
    const version = /with Code (\S+)/.exec(String(listed.stdout))?.[1] ?? 'unknown';
    const name = `Chromium ${browser.version()}`;
    process.stdout.write(JSON.stringify({ ...times, version, browser: name }));
  } finally {
    await browser.close();
  }
} finally {
  await editor.stop();
}
