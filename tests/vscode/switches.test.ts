/** Settings and switches hold at once, without a reload, and the status bar says so. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BEGUN, SHAPES } from './editor/files.ts';
import { useSession } from './editor/session.ts';

const session = useSession({ files: { 'shapes.py': SHAPES, 'other.py': SHAPES } });

/** Type anew at the end of the file: whether there is ghost text then. */
async function offers(): Promise<boolean> {
  const { window } = session;
  await window.press('Escape');
  await window.press('Control+End');
  for (let count = 0; count < 3; count += 1) await window.press('Backspace');
  await window.type('th.');
  return window.hasGhostAfter(2500);
}

test('the setting midline.enabled switches it off and on', async () => {
  const window = await session.ready();
  await window.openFile('shapes.py');
  await window.type(BEGUN);
  await window.ghost();
  await window.changeSettings({ 'midline.enabled': false });
  await window.barSays(/midline\.enabled is false/);
  assert.equal(await offers(), false);
  await window.changeSettings({ 'midline.enabled': true });
  await window.barSays(/^(?!.*midline\.enabled)/);
  assert.equal(await offers(), true);
});

test('a click on the status bar opens the menu, which leaves out a language', async () => {
  const { window, editor } = session;
  await window.bar.click();
  await window.entry('Complete python').waitFor();
  await window.picture('menu');
  await window.entry('Complete python').click();
  await window.barSays(/Off in python/);
  assert.deepEqual(editor.settings()['midline.disabledLanguages'], ['python']);
  assert.equal(await offers(), false);
  await window.command('Midline: Complete This Language or Not');
  await window.barSays(/^(?!.*Off in)/);
  assert.equal(await offers(), true);
});

test('a file is left out and others are not', async () => {
  const { window } = session;
  await window.command('Midline: Complete This File or Not');
  await window.barSays(/Off in this file/);
  assert.equal(await offers(), false);
  await window.openFile('other.py');
  await window.barSays(/^(?!.*Off in)/);
  await window.type(BEGUN);
  assert.match(await window.ghost(), /^pi/);
  await window.openFile('shapes.py');
  await window.command('Midline: Complete This File or Not');
  assert.equal(await offers(), true);
});

test('a pause ends with resuming', async () => {
  const { window } = session;
  await window.command('Midline: Pause or Resume');
  await window.barSays(/Paused/);
  assert.equal(await offers(), false);
  await window.command('Midline: Pause or Resume');
  await window.barSays(/^(?!.*Paused)/);
  assert.equal(await offers(), true);
});

test('quiet completes only when asked by hand', async () => {
  const { window } = session;
  await window.command('Midline: Quiet: Complete Only When Asked');
  await window.barSays(/only when asked/);
  assert.equal(await offers(), false);
  await window.press('Alt+\\');
  assert.match(await window.ghost(), /^pi/);
  await window.command('Midline: Quiet: Complete Only When Asked');
  await window.barSays(/^(?!.*only when asked)/);
});

test('the log has what the server wrote, and the status page what is known', async () => {
  const { window } = session;
  await window.command('Midline: Show Log');
  await window.page.locator('.part.panel .view-line', { hasText: 'server: ' }).first().waitFor();
  await window.picture('log');
  await window.command('View: Toggle Panel Visibility');
  await window.command('Midline: Show Status');
  await window.page.waitForSelector('.tab.active[aria-label*="Midline"]');
  await window.page.waitForTimeout(1500);
  await window.picture('status-page');
});
