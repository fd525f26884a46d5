import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Crashes } from '../src/crashes.ts';

test('the fifth crash within three minutes is one too many', () => {
  let now = 0;
  const crashes = new Crashes(() => now);
  const four = [1, 2, 3, 4].map(() => crashes.mayRestart());
  assert.deepEqual(four, [true, true, true, true]);
  assert.equal(crashes.mayRestart(), false);
  now = 180_001;
  assert.equal(crashes.mayRestart(), true);
});

test('a start by hand forgets them', () => {
  const crashes = new Crashes(() => 0);
  for (let count = 0; count < 5; count += 1) crashes.mayRestart();
  crashes.forget();
  assert.equal(crashes.mayRestart(), true);
});
