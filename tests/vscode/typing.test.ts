/** Typing in a real window with the real 0.5B: ghost text, and what the keys do with it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BEGUN, SHAPES } from './editor/files.ts';
import { useSession } from './editor/session.ts';

const NAMES = ['all.py', 'word.py', 'line.py', 'indent.py', 'undo.py'];
const CRLF = SHAPES.replaceAll('\n', '\r\n');
const TABS = 'package shapes\n\nimport "math"\n\nfunc area(radius float64) float64 {\n\t// \u{1F600}\n';
const session = useSession({
  settings: { 'midline.alternatives': 8 },
  files: {
    ...Object.fromEntries(NAMES.map((name) => [name, SHAPES])),
    'cycle.py': '# Names that children like to give their pets.\nPETS = [\n',
    'tabs.go': TABS,
    'crlf.py': `# Kreise \u{1F600}\r\n${CRLF}`,
  },
});

test('ghost text appears behind what is typed, and Tab accepts it', async () => {
  const { editor } = session;
  const window = await session.ready();
  await window.openFile('all.py');
  await window.type(BEGUN);
  const ghost = await window.ghost();
  assert.match(ghost, /^pi\b/);
  await window.picture('ghost-text');
  await window.press('Tab');
  await window.ghostIsGone();
  await window.save();
  assert.ok(editor.read('all.py').startsWith(SHAPES + BEGUN + ghost));
});

test('Ctrl+Right accepts a word and leaves the rest on the screen', async () => {
  const { window, editor } = session;
  await window.openFile('word.py');
  await window.type(BEGUN);
  const ghost = await window.ghost();
  await window.press('Control+ArrowRight');
  const rest = await window.ghost();
  await window.save();
  const accepted = editor.read('word.py').slice((SHAPES + BEGUN).length);
  assert.equal(accepted, 'pi');
  // The text may have become longer meanwhile; what was on the screen stays there.
  assert.ok(ghost.startsWith('pi') && rest.trimStart().startsWith(ghost.slice(2).trimStart()));
});

test('Ctrl+Down accepts a line', async () => {
  const { window, editor } = session;
  await window.openFile('line.py');
  await window.type(BEGUN);
  const [line] = (await window.ghost()).split('\n');
  await window.press('Control+ArrowDown');
  await window.save();
  assert.equal(editor.read('line.py').trimEnd(), SHAPES + BEGUN + (line ?? ''));
});

test('asked by hand there are several, and Alt+] and Alt+[ go round', async () => {
  const { window } = session;
  await window.openFile('cycle.py');
  await window.type('    "');
  await window.press('Alt+\\');
  const first = await window.ghost();
  await window.press('Alt+]');
  const second = await window.otherGhost(first);
  await window.picture('cycle');
  await window.press('Alt+[');
  assert.equal(await window.otherGhost(second), first);
  await window.press('Tab');
  await window.save();
  // VS Code has written the closing quote: a completion must not bring a second one.
  assert.doesNotMatch(session.editor.read('cycle.py'), /""/);
});

test('Tab indents where the offer begins with indentation', async () => {
  const { window, editor } = session;
  await window.openFile('indent.py');
  await window.press('Alt+\\');
  const ghost = await window.ghost();
  assert.match(ghost, /^ {8}\S/);
  await window.press('Tab');
  await window.save();
  assert.match(editor.read('indent.py').slice(SHAPES.length), /^ +$/);
});

test('undo takes an accepted offer away, and Escape hides one', async () => {
  const { window, editor } = session;
  await window.openFile('undo.py');
  await window.type(BEGUN);
  await window.ghost();
  await window.press('Escape');
  await window.ghostIsGone();
  await window.press('Alt+\\');
  await window.ghost();
  await window.press('Tab');
  await window.press('Control+Z');
  await window.save();
  assert.equal(editor.read('undo.py'), SHAPES + BEGUN);
});

test('line ends and wide characters stay as they are', async () => {
  const { window, editor } = session;
  await window.openFile('crlf.py');
  await window.type(BEGUN);
  const ghost = await window.ghost();
  await window.press('Tab');
  await window.save();
  const text = editor.read('crlf.py');
  assert.ok(text.includes(BEGUN + (ghost.split('\n')[0] ?? '')));
  assert.equal(text.replaceAll('\r\n', '').includes('\n'), false);
});

test('behind tabs it is written where the cursor is', async () => {
  const { window, editor } = session;
  await window.openFile('tabs.go');
  await window.type('\treturn math.');
  const ghost = await window.ghost();
  await window.press('Tab');
  await window.save();
  assert.ok(editor.read('tabs.go').startsWith(`${TABS}\treturn math.${ghost.split('\n')[0] ?? ''}`));
});
