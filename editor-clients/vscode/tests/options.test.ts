import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chosenOptions, toggled, type Inspected } from '../src/options.ts';

const NAMES = ['command', 'installFrom', 'modelFile', 'model', 'samples', 'sparsity'];

function chosen(set: Record<string, Inspected>, values: Record<string, unknown>): unknown {
  return chosenOptions(NAMES, (name) => set[name], (name) => values[name]);
}

test('only what the user has set is sent, so that a server of another version is not asked for more', () => {
  assert.deepEqual(chosen({}, { model: 'default', samples: 1 }), {});
  assert.deepEqual(chosen({ samples: { globalValue: 2 } }, { samples: 2 }), { samples: 2 });
});

test('a null that was set is sent', () => {
  assert.deepEqual(chosen({ sparsity: { workspaceValue: null } }, { sparsity: null }), { sparsity: null });
});

test('settings of the extension stay with it', () => {
  const set = { command: { globalValue: 'x' }, installFrom: { globalValue: 'y' } };
  assert.deepEqual(chosen(set, { command: 'x', installFrom: 'y' }), {});
});

test('the value in force is sent, not the one of a folder that is not trusted', () => {
  const set = { model: { globalValue: 'mine', workspaceValue: 'theirs' } };
  assert.deepEqual(chosen(set, { model: 'mine' }), { model: 'mine' });
});

test('a file of a model goes before the model', () => {
  const values = { model: 'a', modelFile: ' /b.gguf ' };
  assert.deepEqual(chosen({ model: { globalValue: 'a' } }, values), { model: '/b.gguf' });
});

test('toggling twice changes nothing', () => {
  assert.deepEqual(toggled(['go'], 'c'), ['c', 'go']);
  assert.deepEqual(toggled(toggled(['go'], 'c'), 'c'), ['go']);
});
