/** A folder that is not trusted, and a notebook in it. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
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
  const cell = window.page.locator('.notebookOverlay .cell-editor-container .view-lines').last();
  await cell.click();
  await window.press('Control+End');
  await window.press('Enter');
  await window.type('return math.');
  assert.match(await window.ghost(), /^pi/);
  await window.picture('notebook');
});
