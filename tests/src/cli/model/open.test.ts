/** What `--model` names, and the line that tells how far its opening has come. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { modelPlace } from '../../../../src/cli/model/place';
import { ProgressLine } from '../../../../src/cli/model/progress';
import { storeFrom } from '../../../../src/cli/model/store';

const folder = mkdtempSync(join(tmpdir(), 'fireside-place-'));
afterAll(() => rmSync(folder, { recursive: true }));
const endless = new AbortController().signal;
const store = storeFrom({ cache: join(folder, 'cache') }, {});

test('a file, and a folder whose files may be there or not', async () => {
  writeFileSync(join(folder, 'a.gguf'), 'GGUF');
  const file = await modelPlace(join(folder, 'a.gguf'), endless, store);
  expect(file).toMatchObject({ file: { size: 4 } });
  if ('file' in file) await file.file.close?.();
  const place = await modelPlace(folder, endless, store);
  if (!('folder' in place)) throw new Error('it is a folder');
  expect(await place.folder.open('config.json')).toBeUndefined();
  const inside = await place.folder.open('a.gguf');
  expect(inside?.size).toBe(4);
  await inside?.close?.();
});

test('what is not there is told by its name', async () => {
  await expect(modelPlace(join(folder, 'none'), endless, store)).rejects.toMatchObject({
    code: 'files',
    message: expect.stringContaining('none: there is no such file or folder') as string,
  });
});

function shown(isTTY: boolean, tell: (line: ProgressLine) => void): string {
  let text = '';
  tell(new ProgressLine({ isTTY, write: (part) => (text += part) }));
  return text;
}

test('on a terminal one line rewrites itself, and goes', () => {
  const text = shown(true, (line) => {
    line.show({ phase: 'read', done: 14 * 2 ** 20, total: 28 * 2 ** 20 });
    line.show({ phase: 'read', done: 14 * 2 ** 20 + 1, total: 28 * 2 ** 20 });
    line.show({ phase: 'compile' });
    line.clear();
  });
  expect(text.split('\r\x1b[K')).toEqual([
    '',
    '[############............] reading the model, 14 MB of 28 MB',
    'compiling and testing',
    '',
  ]);
});

test('elsewhere nothing is written', () => {
  expect(
    shown(false, (line) => {
      line.show({ phase: 'device' });
      line.clear();
    }),
  ).toBe('');
});
