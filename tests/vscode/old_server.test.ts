/** A server that is older than the extension: it knows no status and no commands. */

import { tmpdir } from 'node:os';
import * as path from 'node:path';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useSession } from './editor/session.ts';

const session = useSession({
  files: { 'old.py': 'x = \n' },
  settings: { 'midline.command': path.join(import.meta.dirname, 'editor/scripted_midline') },
  environment: {
    MIDLINE_SCRIPT: JSON.stringify({
      log: path.join(tmpdir(), `midline-old-${process.pid.toString()}.jsonl`),
      old: true,
      answers: ['length(y)'],
    }),
  },
});

test('it completes all the same, and what it has not is said in a sentence', async () => {
  const { window, editor } = session;
  await window.barSays(/^(?!.*(Starting|stopped))/);
  await window.openFile('old.py');
  await window.press('ArrowUp');
  await window.press('End');
  await window.type('l');
  assert.equal(await window.ghost(), 'ength(y)');
  await window.press('Tab');
  await window.save();
  assert.equal(editor.read('old.py'), 'x = length(y)\n');
  await window.command('Midline: Explain');
  await window.notification('This version of the Midline server has no code actions.').waitFor();
  await window.command('Midline: Do...');
  await window.notification('This version of the Midline server takes no words.').waitFor();
});
