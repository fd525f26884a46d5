import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutOverlap } from '../src/overlap.ts';

test('what closes the text before the cursor is not written twice', () => {
  assert.equal(withoutOverlap('Rover"', '"'), 'Rover');
  assert.equal(withoutOverlap('Rover"', '",'), 'Rover');
  assert.equal(withoutOverlap('x)', ')'), 'x');
  assert.equal(withoutOverlap('a[0])', '])'), 'a[0])'.slice(0, -1));
  assert.equal(withoutOverlap('x"])', '"])'), 'x');
  assert.equal(withoutOverlap('Rover",\n    "Max"', '"'), 'Rover",\n    "Max');
});

test('what the completion opens itself stays closed by it', () => {
  assert.equal(withoutOverlap('g(x)', ')'), 'g(x)');
  assert.equal(withoutOverlap('"Rover"', '"'), '"Rover"');
  assert.equal(withoutOverlap('a[0]', ']'), 'a[0]');
  assert.equal(withoutOverlap('x', ')'), 'x');
  assert.equal(withoutOverlap('pi', ''), 'pi');
});
