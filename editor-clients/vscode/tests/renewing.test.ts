import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSame, parseRenewed, Renewing, type Renewed } from '../src/renewing.ts';

const PLACE = {
  textDocument: { uri: 'file:///a.py', version: 3 },
  position: { line: 1, character: 4 },
};

test('what has another type is no place', () => {
  assert.deepEqual(parseRenewed(PLACE), PLACE);
  for (const wrong of [undefined, null, 3, {}, { ...PLACE, position: { line: '1' } }])
    assert.equal(parseRenewed(wrong), undefined);
  assert.equal(parseRenewed({ ...PLACE, textDocument: { uri: 'file:///a.py', version: null } }), undefined);
});

test('a place is the same in the same version of the document only', () => {
  assert.ok(isSame(PLACE, structuredClone(PLACE)));
  const others: Renewed[] = [
    { ...PLACE, textDocument: { uri: 'file:///a.py', version: 4 } },
    { ...PLACE, textDocument: { uri: 'file:///b.py', version: 3 } },
    { ...PLACE, position: { line: 1, character: 5 } },
  ];
  for (const other of others) assert.ok(!isSame(PLACE, other));
});

test('one request for the place is the expected one, while VS Code is made to ask', async () => {
  const renewing = new Renewing();
  assert.ok(!renewing.take(PLACE));
  await renewing.during(PLACE, () => {
    assert.ok(!renewing.take({ ...PLACE, position: { line: 9, character: 0 } }));
    assert.ok(renewing.take(PLACE));
    assert.ok(!renewing.take(PLACE));
    return Promise.resolve();
  });
  await renewing.during(PLACE, () => Promise.resolve());
  assert.ok(!renewing.take(PLACE));
});
