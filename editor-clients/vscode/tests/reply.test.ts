import assert from 'node:assert/strict';
import { test } from 'node:test';
import { harmless, parseReply } from '../src/reply.ts';

test('fields of other types are not taken', () => {
  assert.deepEqual(parseReply(null), {});
  assert.deepEqual(parseReply('text'), {});
  assert.deepEqual(parseReply({ answer: '', message: 7, choices: 'none' }), {});
  assert.deepEqual(parseReply({ answer: 'yes', other: 1 }), { answer: 'yes' });
  const choice = { label: 'one', text: 'x' };
  assert.deepEqual(parseReply({ choices: [choice, { label: 2 }, null] }), { choices: [choice] });
});

test('images and HTML are shown as text, and code as it is', () => {
  const code = '```cpp\n![a](b) std::vector<int>\n```';
  assert.equal(harmless(code), code);
  assert.equal(harmless('see ![a](https://x.example/a.png)'), 'see !\\[a](https://x.example/a.png)');
  assert.equal(harmless('<img src="https://x.example">'), '&lt;img src="https://x.example">');
  assert.equal(harmless('a `vector<int>` if 1 < 2'), 'a `vector<int>` if 1 < 2');
  assert.equal(harmless('```\na\n```\n<b>'), '```\na\n```\n&lt;b>');
  assert.equal(harmless('~~~\n```\n<b>\n~~~\n<b>'), '~~~\n```\n<b>\n~~~\n&lt;b>');
});
