import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crashProblem, startProblem } from '../src/problems.ts';

test('the errors of the system are sentences with a way out', () => {
  const missing = startProblem('/x/midline', { code: 'ENOENT' }, '');
  assert.match(missing, /^Midline was not found at \/x\/midline; install it, .*\.$/);
  assert.match(startProblem('/x', { code: 'EACCES' }, ''), /make it executable/);
});

test('a server that dies at once is quoted by its last line', () => {
  const said = 'Traceback\n  File x\nmidline: no room on the disk\n\n';
  assert.match(startProblem('m', new Error('gone'), said), /said: midline: no room on the disk$/);
  assert.match(startProblem('m', new Error('gone'), ''), /said nothing$/);
});

test('the last of many crashes says that it was the last', () => {
  assert.equal(crashProblem(''), 'Midline ended five times within three minutes and stays off.');
  assert.match(crashProblem('a\nb\n'), /stays off: b$/);
});
