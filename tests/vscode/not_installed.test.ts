/** Midline is not installed: the extension says so, and installs it into its own environment. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { TOOLS } from './editor/code_server.ts';
import { BEGUN, SHAPES } from './editor/files.ts';
import { useSession } from './editor/session.ts';

const source = process.env['INSTALL_FROM'] ?? '';
const session = useSession({
  files: { 'shapes.py': SHAPES },
  settings: { 'midline.command': '', 'midline.installFrom': source },
  environment: { PATH: `${path.join(TOOLS, 'bin')}:/usr/bin:/bin` },
  privateHome: true,
});

test('it is said, with what would be run, and nothing is run before', async () => {
  const { window, editor } = session;
  await window.barSays(/install/);
  const notice = window.notification('Its server is not installed yet');
  await notice.waitFor();
  await window.picture('not-installed');
  await notice.getByRole('button', { name: 'How It Works' }).click();
  await window.page.waitForSelector('.getting-started-step.expanded');
  await window.picture('walkthrough');
  await window.bar.click();
  const dialog = window.page.locator('.monaco-dialog-box');
  await dialog.waitFor();
  assert.match((await dialog.textContent()) ?? '', /(-m venv|uv venv).*pip install/s);
  await window.picture('install');
  assert.deepEqual(editor.servers(), []);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await window.barSays(/install/);
});

test('it is installed and completes', { timeout: 600_000 }, async () => {
  const { window, editor } = session;
  await window.command('Midline: Install Server...');
  await window.page.locator('.monaco-dialog-box').getByRole('button', { name: 'Install', exact: true }).click();
  await window.notification('installing the server').waitFor();
  await window.barSays(/installing/);
  await window.picture('installing');
  await window.barSays(/ is ready/, 540_000);
  const storage = path.join(editor.root, 'user/User/globalStorage/midline.midline');
  assert.ok(existsSync(path.join(storage, 'environment/bin/midline')));
  await window.openFile('shapes.py');
  await window.type(BEGUN);
  assert.match(await window.ghost(), /^pi/);
});
