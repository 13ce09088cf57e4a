/** What `npm test` reads and writes of apt's, on texts as Debian and Ubuntu have them. */
import { expect, test } from 'vitest';
import { backportsEntry, offeredVersions } from '../../scripts/provide.js';

test('backports come from where the release comes from: a stanza', () => {
  const text = [
    'Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /k.gpg',
    'Types: deb\nURIs: http://mirror.example/debian-security\nSuites: bookworm-security\nComponents: main\n',
  ].join('\n\n');
  expect(backportsEntry(text, 'bookworm', true)).toBe(
    'Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm-backports\nComponents: main\nSigned-By: /k.gpg\n',
  );
});

test('backports come from where the release comes from: a line', () => {
  const text = [
    '# deb http://mirror.example/old bookworm main',
    'deb http://mirror.example/debian-security bookworm-security main',
    'deb [signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib',
  ].join('\n');
  expect(backportsEntry(text, 'bookworm', false)).toBe(
    'deb [signed-by=/k.gpg] http://mirror.example/debian bookworm-backports main contrib\n',
  );
});

test('a file without the release gives no entry', () => {
  const other = 'Types: deb\nURIs: http://mirror.example/x\nSuites: nodistro\nComponents: main\n';
  expect(backportsEntry(other, 'bookworm', true)).toBeUndefined();
  expect(backportsEntry('deb http://mirror.example/x trixie main\n', 'bookworm', false)).toBeUndefined();
  expect(backportsEntry('', 'bookworm', true)).toBeUndefined();
});

test('each offered version is known with its release', () => {
  const table = [
    'mesa-vulkan-drivers | 25.0.7-2~bpo12+1 | http://mirror.example/debian bookworm-backports/main amd64 Packages',
    'mesa-vulkan-drivers | 22.3.6-1+deb12u2 | http://mirror.example/debian bookworm/main amd64 Packages',
    '',
  ].join('\n');
  expect(offeredVersions(table)).toEqual([
    { version: '25.0.7-2~bpo12+1', release: 'bookworm-backports' },
    { version: '22.3.6-1+deb12u2', release: 'bookworm' },
  ]);
});
