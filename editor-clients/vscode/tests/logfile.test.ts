import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { logPath, Tail } from '../src/logfile.ts';

test('the log is where the server writes it', () => {
  assert.equal(logPath({ MIDLINE_HOME: '~/m' }, '/h', 'linux'), '/h/m/logs/midline.log');
  assert.equal(logPath({}, '/h', 'linux'), '/h/.local/state/midline/log/midline.log');
  assert.equal(logPath({ XDG_STATE_HOME: '/s' }, '/h', 'linux'), '/s/midline/log/midline.log');
  assert.equal(logPath({}, '/h', 'darwin'), '/h/Library/Logs/midline/midline.log');
});

test('a tail reads what is added, and begins anew after a rotation', () => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'tail-')), 'log');
  const tail = new Tail(file, 4);
  assert.equal(tail.read(), '');
  writeFileSync(file, '123456');
  assert.equal(tail.read(), '3456');
  assert.equal(tail.read(), '');
  appendFileSync(file, '78');
  assert.equal(tail.read(), '78');
  writeFileSync(file, 'new');
  assert.equal(tail.read(), 'new');
});
