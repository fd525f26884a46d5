import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asTyped, causeOf, installSteps } from '../src/installing.ts';

test('uv goes before Python, and each installs into the environment only', () => {
  const byUv = installSteps({ uv: '/bin/uv', python: '/bin/python3' }, '/env', 'src.tar.gz', 'linux');
  assert.deepEqual(byUv?.map((step) => step[0]), ['/bin/uv', '/bin/uv']);
  assert.ok(byUv[1]?.includes('/env/bin/python'));
  const byPip = installSteps({ uv: undefined, python: '/bin/python3' }, '/env', 'src', 'linux');
  assert.ok(byPip !== undefined);
  assert.deepEqual(byPip.map((step) => step[0]), ['/bin/python3', '/env/bin/python']);
  assert.equal(byPip[1]?.at(-1), 'src');
});

test('without both there is nothing to run', () => {
  assert.equal(installSteps({ uv: undefined, python: undefined }, '/env', 'src', 'linux'), undefined);
});

test('words with spaces are quoted', () => {
  assert.equal(asTyped([['uv', 'venv', '/my env'], ['ls']]), "uv venv '/my env'\nls");
});

test('the cause is the line that names an error, or else the last one', () => {
  assert.equal(causeOf('a\nERROR: no compiler\n[notice] a new pip\n'), 'ERROR: no compiler');
  assert.equal(causeOf('a\nOSError: disk full\nb\n'), 'OSError: disk full');
  assert.equal(causeOf('a\n\n  b \n'), 'b');
  assert.equal(causeOf('\n'), 'it said nothing');
});
