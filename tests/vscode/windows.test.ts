/** Two windows of one VS Code, both served. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BEGUN, SHAPES } from './editor/files.ts';
import { useSession } from './editor/session.ts';

const session = useSession({ files: { 'one.py': SHAPES, 'two.py': SHAPES } });

test('both complete, each its own file, from one engine', async () => {
  await session.ready();
  const other = await session.another();
  await other.isReady();
  assert.equal(session.editor.servers().length, 2);
  assert.equal(session.editor.engines().length, 1);
  await session.window.openFile('one.py');
  await other.openFile('two.py');
  await session.window.type(BEGUN);
  await other.type(BEGUN);
  assert.match(await session.window.ghost(), /^pi/);
  assert.match(await other.ghost(), /^pi/);
  await other.press('Tab');
  await other.save();
  assert.match(session.editor.read('two.py'), /return math\.pi/);
  assert.equal(session.editor.read('one.py'), SHAPES);
});
