/** A server that ends: once, often, and at once. */

import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { endProcess, MIDLINE } from './editor/code_server.ts';
import { BEGUN, SHAPES } from './editor/files.ts';
import { useSession } from './editor/session.ts';

const NAMES = ['one.py', 'two.py', 'again.py', 'three.py'];
const session = useSession({ files: Object.fromEntries(NAMES.map((name) => [name, SHAPES])) });

/** Kill the servers of this VS Code, and wait until others are there. */
async function killServers(expectOthers: boolean): Promise<void> {
  const before = session.editor.servers();
  assert.notEqual(before.length, 0);
  before.forEach(endProcess);
  if (!expectOthers) return;
  for (let left = 200; left > 0; left -= 1) {
    const now = session.editor.servers();
    if (now.length > 0 && now.every((pid) => !before.includes(pid))) break;
    await session.window.page.waitForTimeout(50);
  }
  await session.window.isReady();
}

test('a killed server is back, and completes', async () => {
  const window = await session.ready();
  await window.openFile('one.py');
  await window.type(BEGUN);
  await window.ghost();
  await window.press('Tab');
  await killServers(true);
  await window.openFile('two.py');
  await window.type(BEGUN);
  assert.match(await window.ghost(), /^pi/);
  await window.press('Tab');
});

test('a killed engine is back, and completes', async () => {
  const { window, editor } = session;
  const before = editor.engines();
  assert.equal(before.length, 1);
  before.forEach(endProcess);
  await window.barSays(/^(?!.* is ready)/);
  await window.isReady();
  assert.notDeepEqual(editor.engines(), before);
  await window.openFile('again.py');
  await window.type(BEGUN);
  assert.match(await window.ghost(), /^pi/);
  await window.press('Tab');
});

test('after five it stays off and says so, until it is restarted by hand', async () => {
  const { window } = session;
  for (let count = 1; count < 4; count += 1) await killServers(true);
  await killServers(false);
  await window.barSays(/stopped/);
  const notice = window.notification('ended five times within three minutes');
  await notice.waitFor();
  await window.picture('stopped');
  await notice.getByRole('button', { name: 'Restart' }).click();
  await window.isReady();
  await window.openFile('three.py');
  await window.type(BEGUN);
  assert.match(await window.ghost(), /^pi/);
  await window.press('Tab');
});

test('a program that ends at once is quoted in a sentence', async () => {
  const { window, editor } = session;
  const program = path.join(editor.root, 'broken');
  writeFileSync(program, '#!/bin/sh\necho "midline: no room on the disk" >&2\nexit 1\n');
  chmodSync(program, 0o755);
  await window.changeSettings({ 'midline.command': program });
  await window.notification(/ended before it could serve, and said: midline: no room on the disk/).waitFor();
  await window.barSays(/stopped/);
});

test('a setting that names nothing is a sentence, and mending it starts the server', async () => {
  const { window } = session;
  await window.changeSettings({ 'midline.command': '/not/there/midline' });
  await window.notification(/midline\.command names \/not\/there\/midline, which is not a program/).waitFor();
  await window.barSays(/names \/not\/there/);
  await window.changeSettings({ 'midline.command': MIDLINE });
  await window.isReady();
});
