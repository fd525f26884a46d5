/** A folder that is not trusted, and a notebook in it. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import type { Locator } from 'playwright-core';
import { BEGUN, SHAPES } from './editor/files.ts';
import { useSession } from './editor/session.ts';

const NOTEBOOK = {
  cells: [
    { cell_type: 'code', metadata: {}, source: ['import math'], outputs: [], execution_count: null },
    { cell_type: 'code', metadata: {}, source: ['def circle_area(radius):'], outputs: [], execution_count: null },
  ],
  metadata: { language_info: { name: 'python' } },
  nbformat: 4,
  nbformat_minor: 5,
};
const session = useSession({
  files: {
    'shapes.py': SHAPES,
    'area.ipynb': JSON.stringify(NOTEBOOK),
    '.vscode/settings.json': JSON.stringify({
      'midline.command': 'evil',
      'midline.model': '/evil.gguf',
      'midline.modelFile': '/evil.gguf',
    }),
  },
  trust: true,
});

/** A cell of the notebook that is open. */
function cell(number: number): Locator {
  return session.window.page
    .locator('.notebookOverlay .cell-editor-container .view-lines')
    .nth(number);
}

test('a folder that is not trusted is completed by the model of the user', async () => {
  const { window, editor } = session;
  await window.page.waitForSelector('.part.banner');
  await window.isReady();
  await window.barSays(/Folder not trusted/);
  await window.openFile('shapes.py');
  await window.type(BEGUN);
  assert.match(await window.ghost(), /^pi/);
  assert.equal(existsSync(path.join(editor.root, 'evil')), false);
});

test('a cell of a notebook is completed', async () => {
  const { window } = session;
  await window.open('area.ipynb');
  await cell(1).click();
  await window.press('Control+End');
  await window.press('Enter');
  await window.type('return math.');
  assert.match(await window.ghost(), /^pi/);
  await window.picture('notebook');
});

test('a notebook is switched off as a whole, and on again', async () => {
  const { window } = session;
  await window.command('Midline: Complete This File or Not');
  await window.barSays(/Off in this file/);
  await cell(0).click();
  await window.press('Control+End');
  await window.press('Enter');
  await window.type('x = math.');
  assert.equal(await window.hasGhostAfter(2500), false);
  await window.barSays(/Off in this file/);
  await window.command('Midline: Complete This File or Not');
  await window.barSays(/^(?!.*Off in)/);
  await cell(1).click();
  await window.press('Control+End');
  for (let count = 0; count < 5; count += 1) await window.press('Backspace');
  await window.type('math.');
  assert.match(await window.ghost(), /^pi/);
});
