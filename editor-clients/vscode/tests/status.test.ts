import assert from 'node:assert/strict';
import { test } from 'node:test';
import { barItem, parseStatus, STATES, type Window } from '../src/status.ts';

const RUNNING: Window = { server: 'running', paused: false, quiet: false, off: undefined };
const READY = {
  state: 'ready',
  message: 'Ready.',
  model: 'qwen2.5-coder-0.5b',
  progress: null,
  tokensPerSecond: 41.6,
  lastMilliseconds: 135.2,
  silent: 'inside a number',
};

test('every field of the protocol is read', () => {
  assert.deepEqual(parseStatus(READY), { ...READY, progress: undefined });
});

test('what is no status is none, and a field of a wrong type is not known', () => {
  for (const wrong of [null, undefined, 3, 'ready', {}, { state: 'dancing' }])
    assert.equal(parseStatus(wrong), undefined);
  const status = parseStatus({ state: 'ready', model: 7, tokensPerSecond: '9', progress: NaN });
  assert.deepEqual([status?.model, status?.tokensPerSecond, status?.progress], [undefined, undefined, undefined]);
});

test('the tooltip has model, speed, latency and the reason for silence', () => {
  const { text, facts, level } = barItem(parseStatus(READY), RUNNING);
  assert.equal(text, '$(sparkle) Midline');
  assert.equal(level, 'normal');
  assert.deepEqual(facts, [
    'Ready.',
    'Model: qwen2.5-coder-0.5b',
    'Speed: 42 tokens/s',
    'Last answer: 135 ms',
    'Silent here: inside a number',
  ]);
});

test('a server that has not been told of a model yet is loading', () => {
  assert.equal(parseStatus({ state: 'noModel', model: null })?.state, 'loading');
  assert.equal(parseStatus({ state: 'noModel', model: 'm' })?.state, 'noModel');
});

test('a model that the message names is not named again', () => {
  const message = 'qwen2.5-coder-0.5b is ready.';
  const { facts } = barItem(parseStatus({ ...READY, message }), RUNNING);
  assert.equal(facts.filter((fact) => fact.includes('qwen')).length, 1);
});

test('loading shows its share, within 0 and 100%', () => {
  const text = (progress: number): string =>
    barItem(parseStatus({ state: 'loading', progress }), RUNNING).text;
  assert.match(text(0.4), / 40%$/);
  assert.match(text(1.7), / 100%$/);
  assert.match(text(-1), / 0%$/);
});

test('each state, and each state of the server, has a text of its own where it needs one', () => {
  const texts = STATES.map((state) => barItem(parseStatus({ state, model: 'm' }), RUNNING).text);
  assert.equal(new Set(texts).size, STATES.length - 1); // loading without a share, and thinking
  for (const server of ['missing', 'stopped'] as const)
    assert.notEqual(barItem(undefined, { ...RUNNING, server }).level, 'normal');
});

test('a server that does not tell its status is shown as running', () => {
  assert.deepEqual(barItem(undefined, RUNNING), { text: '$(sparkle) Midline', facts: [], level: 'normal' });
});

test('a setting that names no program is said instead of an installation', () => {
  const item = barItem(undefined, { ...RUNNING, server: 'missing', problem: 'No such program.' });
  assert.deepEqual([item.level, item.facts], ['error', ['No such program.']]);
});

test('the pause goes before what is off, and both before the state', () => {
  const off = 'Off in this file.';
  const status = parseStatus({ state: 'thinking' });
  assert.match(barItem(status, { ...RUNNING, off, paused: true }).text, /pause/);
  assert.deepEqual(barItem(status, { ...RUNNING, off }).facts, [off]);
});
