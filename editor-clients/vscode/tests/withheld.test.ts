import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNoCode } from '../src/withheld.ts';

const named = (languageId: string, scheme: string): Parameters<typeof isNoCode>[0] => ({
  languageId,
  uri: { scheme, toString: () => `${scheme}:x` },
});

test('files, unsaved files and cells are code; messages, logs and views are not', () => {
  for (const scheme of ['file', 'untitled', 'vscode-remote', 'vscode-notebook-cell'])
    assert.equal(isNoCode(named('python', scheme)), false, scheme);
  for (const scheme of ['output', 'git', 'comment']) assert.ok(isNoCode(named('python', scheme)));
  for (const language of ['git-commit', 'git-rebase', 'log']) assert.ok(isNoCode(named(language, 'file')));
});
