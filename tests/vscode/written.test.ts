/** Code actions by the real model: what is written, and what is told. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useSession } from './editor/session.ts';

const PORTS = `def parse_port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65536:
        raise ValueError(f"{text} is no port")
    return port
`;
const NOTEBOOK = {
  cells: [
    { cell_type: 'code', metadata: {}, source: PORTS.trimEnd().split(/(?<=\n)/), outputs: [], execution_count: null },
  ],
  metadata: { language_info: { name: 'python' } },
  nbformat: 4,
  nbformat_minor: 5,
};
const WRITING = 120_000;
const session = useSession({
  files: { 'ports.py': PORTS, 'told.py': PORTS, 'ports.ipynb': JSON.stringify(NOTEBOOK) },
});

test('a docstring is written, and nothing else changes', { timeout: 300_000 }, async () => {
  const { window, editor } = session;
  await window.isReady();
  await window.openFile('ports.py');
  await window.press('Control+Home');
  await window.command('Midline: Write Docstring');
  await window.hasLine('"""', WRITING);
  await window.picture('docstring');
  await window.save();
  const text = editor.read('ports.py');
  const docstring = /^ {4}""".*?"""\n/ms.exec(text);
  assert.ok(docstring !== null);
  assert.equal(text.replace(docstring[0], ''), PORTS);
  assert.equal(docstring.index, PORTS.indexOf('    port = int'));
  await window.press('Control+Z');
  await window.save();
  assert.equal(editor.read('ports.py'), PORTS);
});

test('an explanation opens beside the code', { timeout: 300_000 }, async () => {
  const { window } = session;
  await window.openFile('told.py');
  await window.press('Control+Home');
  await window.command('Midline: Explain');
  await window.page.waitForSelector('.tab[aria-label*="Explanation"]', { timeout: WRITING });
  const body = window.page
    .frameLocator('iframe.webview')
    .frameLocator('iframe#active-frame')
    .locator('.markdown-body');
  await body.locator('p').first().waitFor();
  assert.match((await body.textContent()) ?? '', /port/);
  await window.picture('explained');
});
