import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitted } from '../src/overlap.ts';

test('a quote that ends the string takes the place of the one that is there', () => {
  assert.deepEqual(fitted('Rover"', '"'), { text: 'Rover"', covered: 1 });
  assert.deepEqual(fitted('cat",', '"'), { text: 'cat",', covered: 1 });
  assert.deepEqual(fitted('Rover",\n    "Max"', '"'), { text: 'Rover",\n    "Max"', covered: 1 });
  assert.deepEqual(fitted('"Rover"', '"'), { text: '"Rover"', covered: 0 });
  assert.deepEqual(fitted("it's", '"'), { text: "it's", covered: 0 });
});

test('brackets that close the text before the cursor are not written twice', () => {
  assert.deepEqual(fitted('x)', ')'), { text: 'x', covered: 0 });
  assert.deepEqual(fitted('x"])', '"])'), { text: 'x"', covered: 1 });
  assert.deepEqual(fitted('a[0])', '])'), { text: 'a[0])', covered: 0 });
  assert.deepEqual(fitted('a[0])', ')'), { text: 'a[0]', covered: 0 });
});

test('what the completion opens itself stays closed by it', () => {
  assert.deepEqual(fitted('g(x)', ')'), { text: 'g(x)', covered: 0 });
  assert.deepEqual(fitted('a[0]', ']'), { text: 'a[0]', covered: 0 });
  assert.deepEqual(fitted('x', ')'), { text: 'x', covered: 0 });
  assert.deepEqual(fitted('pi', ''), { text: 'pi', covered: 0 });
});
