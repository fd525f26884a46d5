/** Code actions in the window, with a server whose answers are known. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { useSession } from './editor/session.ts';

const SUM = 'def add(a, b):\n    return a + b\n';
const LOG = path.join(tmpdir(), `midline-actions-${process.pid.toString()}.jsonl`);
const choices = [
  { label: 'one', text: '    # one' },
  { label: 'two', text: '    # two' },
];
const session = useSession({
  files: { 'sum.py': SUM, 'other.py': SUM, '.env': SUM },
  settings: { 'midline.command': path.join(import.meta.dirname, 'editor/scripted_midline') },
  environment: {
    MIDLINE_SCRIPT: JSON.stringify({
      log: LOG,
      actions: {
        docstring: { insert: '"""Sum."""\n    ' },
        explain: { answer: 'It **adds** ![a](https://x.example/a.png) two numbers.' },
        tests: { error: 'Midline: there is no function at the cursor' },
        complete: [{ choices }, { insert: '# chosen\n    ' }],
        fix: { insert: 'def test_add(): ...\n', file: 'test_sum.py' },
        translate: { waits: true },
      },
      sentences: {
        'add a note': [{ question: 'insert a note?' }, { insert: '# note\n' }],
        why: { answer: 'Because.' },
      },
    }),
  },
});

/** The arguments of the commands that the server was given. */
function asked(): Record<string, unknown>[] {
  return readFileSync(LOG, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { method?: string; params: { arguments: object[] } })
    .filter(({ method }) => method === 'workspace/executeCommand')
    .map(({ params }) => params.arguments[0] as Record<string, unknown>);
}

/** The text of a preview that is open; a webview keeps it two frames deep. */
async function preview(text: string): Promise<void> {
  const frame = session.window.page.frameLocator('iframe.webview').frameLocator('iframe#active-frame');
  await frame.getByText(text).first().waitFor();
}

test('a command of the palette edits at the cursor, and undo takes it back', async () => {
  const { window } = session;
  await window.barSays(/Ready/);
  await window.openFile('sum.py');
  await window.press('Control+Home');
  await window.press('ArrowDown');
  await window.press('Home');
  await window.command('Midline: Write Docstring');
  await window.hasLine('"""Sum."""');
  await window.save();
  assert.equal(session.editor.read('sum.py'), SUM.replace('return', '"""Sum."""\n    return'));
  const [call] = asked();
  const place = { line: 1, character: 4 };
  assert.deepEqual(call?.['range'], { start: place, end: place });
  assert.equal(call['action'], 'docstring');
  assert.equal(typeof call['version'], 'number');
  await window.press('Control+Z');
  await window.save();
  assert.equal(session.editor.read('sum.py'), SUM);
});

test('the light bulb has the actions, and an explanation is a preview without images', async () => {
  const { window } = session;
  await window.press('Control+.');
  const item = window.page.locator('.action-widget .monaco-list-row', { hasText: 'Midline: explain' });
  await item.waitFor();
  await window.picture('light-bulb');
  await item.click();
  await preview('two numbers');
  await preview('![a](https://x.example/a.png)');
  await window.picture('explanation');
});

test('a failure is its sentence, once begun by the server with its name', async () => {
  const { window } = session;
  await window.openFile('sum.py');
  await window.command('Midline: Write Tests');
  const notice = window.notification('there is no function at the cursor');
  await notice.waitFor();
  assert.doesNotMatch((await notice.textContent()) ?? '', /Midline: Midline/);
  await window.command('Notifications: Clear All Notifications');
});

test('what runs can be cancelled', async () => {
  const { window } = session;
  await window.command('Midline: Translate');
  const notice = window.notification('Midline: translating');
  await notice.waitFor();
  await window.picture('cancel');
  await notice.getByRole('button', { name: 'Cancel' }).click();
  await notice.waitFor({ state: 'detached' });
  assert.match(readFileSync(LOG, 'utf8'), /\$\/cancelRequest/);
});

test('of several bodies one is chosen', async () => {
  const { window } = session;
  await window.openFile('other.py');
  await window.command('Midline: Complete Body');
  await window.entry('two').waitFor();
  await window.picture('choices');
  await window.entry('two').click();
  await window.hasLine('# chosen');
  assert.equal(asked().at(-1)?.['choice'], 1);
});

test('a sentence is confirmed before it is done, and its answer is a preview', async () => {
  const { window, editor } = session;
  await window.openFile('other.py');
  await window.press('Control+Home');
  await window.say('add a note');
  const dialog = window.page.locator('.monaco-dialog-box');
  await dialog.waitFor();
  assert.match((await dialog.textContent()) ?? '', /insert a note\?/);
  await window.picture('confirm');
  await dialog.getByRole('button', { name: 'Do It' }).click();
  await window.hasLine('# note');
  await window.save();
  assert.match(editor.read('other.py'), /^# note\n/);
  await window.say('why');
  await preview('Because.');
});

test('a file that is written anew is shown beside the code', async () => {
  const { window, editor } = session;
  await window.command('View: Close All Editors');
  await window.openFile('sum.py');
  await window.command('Midline: Fix');
  await window.page.waitForSelector('.tab[data-resource-name="test_sum.py"]');
  await window.page.locator('.view-line', { hasText: 'def test_add' }).waitFor();
  assert.match(editor.read('test_sum.py'), /^(def test_add|$)/);
});
