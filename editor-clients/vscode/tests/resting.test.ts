import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Resting, type Cursor } from '../src/resting.ts';

interface Place extends Cursor {
  readonly line: number;
}

const place = (line: number, version = 1, uri = 'a', isAlone = true): Place => ({
  uri,
  version,
  isAlone,
  line,
});

function resting(context: TestContext): { told: number[]; cursor: Resting<Place>; wait: (ms: number) => void } {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const told: number[] = [];
  const cursor = new Resting<Place>(({ line }) => told.push(line));
  return {
    told,
    cursor,
    wait: (ms) => {
      context.mock.timers.tick(ms);
    },
  };
}

test('only the place where the cursor stays is told, once', (context) => {
  const { told, cursor, wait } = resting(context);
  for (const line of [1, 2, 3]) {
    cursor.moved(place(line));
    wait(100);
  }
  assert.deepEqual(told, []);
  wait(1000);
  assert.deepEqual(told, [3]);
});

test('a move by a key that edits is not told, and ends the wait of one before', (context) => {
  const { told, cursor, wait } = resting(context);
  cursor.moved(place(1, 1));
  wait(100);
  cursor.moved(place(1, 2));
  wait(1000);
  assert.deepEqual(told, []);
  cursor.moved(place(5, 2));
  wait(1000);
  assert.deepEqual(told, [5]);
});

test('a document just opened, or opened again, has no edit behind it', (context) => {
  const { told, cursor, wait } = resting(context);
  cursor.moved(place(1, 7, 'a'));
  cursor.moved(place(2, 3, 'b'));
  wait(1000);
  cursor.closed('a');
  cursor.moved(place(4, 1, 'a'));
  wait(1000);
  assert.deepEqual(told, [2, 4]);
});

test('several cursors, a selection and the end of the extension tell nothing', (context) => {
  const { told, cursor, wait } = resting(context);
  cursor.moved(place(1, 1, 'a', false));
  wait(1000);
  cursor.moved(place(2));
  cursor.dispose();
  wait(1000);
  assert.deepEqual(told, []);
});
