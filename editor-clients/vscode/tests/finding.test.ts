import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { beforeEach, test } from 'node:test';
import { findMidline, findProgram, programOf, type Places } from '../src/finding.ts';

let root: string;
let places: Places;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'finding-'));
  places = {
    setting: '',
    searchPath: `${path.join(root, 'one')}:${path.join(root, 'two')}`,
    environment: path.join(root, 'environment'),
    home: path.join(root, 'home'),
    platform: 'linux',
  };
});

function program(...parts: string[]): string {
  const file = path.join(root, ...parts);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, '#!/bin/sh\n');
  chmodSync(file, 0o755);
  return file;
}

test('the PATH goes before ~/.local/bin, and that before the own environment', () => {
  assert.deepEqual(findMidline(places), { problem: undefined });
  const own = program('environment', 'bin', 'midline');
  assert.deepEqual(findMidline(places), { command: own, from: 'environment' });
  const local = program('home', '.local', 'bin', 'midline');
  assert.deepEqual(findMidline(places), { command: local, from: 'path' });
  const onPath = program('two', 'midline');
  assert.deepEqual(findMidline(places), { command: onPath, from: 'path' });
});

test('a file that is not executable and a folder are no program', () => {
  writeFileSync(program('one', 'midline'), '');
  chmodSync(path.join(root, 'one', 'midline'), 0o644);
  mkdirSync(path.join(root, 'two', 'midline'), { recursive: true });
  assert.deepEqual(findMidline(places), { problem: undefined });
});

test('the setting is a path, a path from home, or a name on the PATH', () => {
  const own = program('home', 'bin', 'midline');
  const named = program('one', 'midline-2');
  assert.deepEqual(findMidline({ ...places, setting: own }), { command: own, from: 'setting' });
  assert.deepEqual(findMidline({ ...places, setting: '~/bin/midline' }), {
    command: own,
    from: 'setting',
  });
  assert.deepEqual(findMidline({ ...places, setting: ' midline-2 ' }), {
    command: named,
    from: 'setting',
  });
});

test('a setting that names nothing is said, and nothing else is taken for it', () => {
  program('one', 'midline');
  const found = findMidline({ ...places, setting: '/not/there' });
  assert.ok('problem' in found);
  assert.match(found.problem ?? '', /^The setting midline\.command names \/not\/there, .*clear it\.$/);
});

test('relative folders of the PATH are not looked in', () => {
  assert.equal(findProgram(['sh'], { ...places, searchPath: '.:bin' }), undefined);
});

test('programs of an environment are in Scripts on Windows', () => {
  assert.match(programOf('env', 'midline', 'win32'), /env.Scripts.midline\.exe$/);
  assert.equal(programOf('/env', 'midline', 'darwin'), '/env/bin/midline');
});
