/** Pulling a model from the window: from an empty cache to ghost text. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { BEGUN, SHAPES } from './editor/files.ts';
import { useSession } from './editor/session.ts';

// The folder of pulled models is a source like any other: what comes from it is copied and verified.
const session = useSession({
  files: { 'shapes.py': SHAPES },
  shared: [],
  environment: { MIDLINE_SOURCES: path.join(homedir(), '.cache/midline/models') },
});

test('without a model one is offered, and the palette has the others', async () => {
  const { window } = session;
  await window.barSays(/no model/);
  await window.notification('Midline has no model yet. Download qwen2.5-coder-0.5b?').waitFor();
  await window.openFile('shapes.py');
  await window.picture('no-model');
  await window.notification('Midline has no model yet').getByRole('button', { name: 'Other Model...' }).click();
  await window.entry('smollm2-135m').waitFor();
  await window.picture('models');
  await window.press('Escape');
});

test('it is downloaded with progress, and completes without a reload', async () => {
  const { window, editor } = session;
  await window.command('Midline: Restart Server');
  await window
    .notification('Midline has no model yet')
    .getByRole('button', { name: 'Download' })
    .click();
  await window.notification(/downloading qwen2.5-coder-0.5b.*\d%/).waitFor();
  await window.picture('download');
  await window.notification('downloading').waitFor({ state: 'detached' });
  const file = 'qwen2.5-coder-0.5b-instruct-q4_k_m.gguf';
  assert.ok(existsSync(path.join(editor.home, 'models', file)));
  await window.isReady();
  await window.openFile('shapes.py');
  await window.type(BEGUN);
  assert.match(await window.ghost(), /^pi/);
});
