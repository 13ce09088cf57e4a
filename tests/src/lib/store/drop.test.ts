/** Files and folders that were dropped, as a browser tells of them. A real drop is in tests/e2e/store. */
import { expect, test } from 'vitest';
import { droppedFiles } from '$lib/store';

interface Folder {
  readonly [name: string]: Folder | number;
}

/** As a browser's: a hundred entries at most in an answer, and each answer once. */
const AT_ONCE = 100;

function entryOf(name: string, content: Folder | number, above = ''): FileSystemEntry {
  const fullPath = `${above}/${name}`;
  const common = { name, fullPath, isFile: typeof content === 'number', isDirectory: typeof content !== 'number' };
  if (typeof content === 'number') {
    const file = (done: (file: File) => void, failed: (cause: unknown) => void): void => {
      if (content < 0) failed(new DOMException('gone', 'NotFoundError'));
      else done(new File([new Uint8Array(content)], name));
    };
    return { ...common, file } as unknown as FileSystemEntry;
  }
  const left = Object.entries(content).map(([child, inner]) => entryOf(child, inner, fullPath));
  const createReader = () => ({
    readEntries: (done: (entries: FileSystemEntry[]) => void) => done(left.splice(0, AT_ONCE)),
  });
  return { ...common, createReader } as unknown as FileSystemEntry;
}

/** A drop, which is forgotten as soon as its event is over. */
function drop(content: Folder): { transfer: DataTransfer; end: () => void } {
  let over = false;
  const items = Object.entries(content).map(([name, inner]) => ({
    kind: 'file',
    webkitGetAsEntry: () => (over ? null : entryOf(name, inner)),
  }));
  const end = (): void => void (over = true);
  return { transfer: { items, files: [] } as unknown as DataTransfer, end };
}

async function pathsOf(content: Folder): Promise<string[]> {
  const { transfer, end } = drop(content);
  const dropping = droppedFiles(transfer);
  end();
  return (await dropping).map(({ name, webkitRelativePath }) => webkitRelativePath || name);
}

test('files as they are, and folders with all that is in them, by their paths', async () => {
  const model = { 'config.json': 2, 'model.safetensors': 9, onnx: { 'model.onnx': 3 }, '.git': { config: 1 } };
  expect(await pathsOf({ 'a.gguf': 4 })).toEqual(['a.gguf']);
  expect((await pathsOf({ 'a.gguf': 4, small: model })).sort()).toEqual([
    'a.gguf',
    'small/config.json',
    'small/model.safetensors',
    'small/onnx/model.onnx',
  ]);
});

test('folders with more entries than a browser tells at once', async () => {
  const many = Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`${i}.json`, 1]));
  expect(await pathsOf({ many })).toHaveLength(250);
  const disk = Object.fromEntries(Array.from({ length: 2100 }, (_, i) => [`${i}.json`, 1]));
  await expect(pathsOf({ disk })).rejects.toThrow(/thousands of files in disk/);
});

test('what cannot be read says so, and what is no file is nothing', async () => {
  await expect(pathsOf({ small: { 'config.json': -1 } })).rejects.toMatchObject({
    problem: 'files',
    message: expect.stringContaining('small/config.json cannot be read') as string,
  });
  const items = [{ kind: 'string', webkitGetAsEntry: () => null }];
  expect(await droppedFiles({ items, files: [] } as unknown as DataTransfer)).toEqual([]);
  const picture = new File(['x'], 'picture.png');
  const virtual = [{ kind: 'file', webkitGetAsEntry: () => null }];
  expect(await droppedFiles({ items: virtual, files: [picture] } as unknown as DataTransfer)).toEqual([picture]);
});
