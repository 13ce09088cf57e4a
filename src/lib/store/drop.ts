/**
 * What a person dropped on a page: files, and folders with all that lies in them. Each file tells its path as those of
 * the folder picker do (`webkitRelativePath`), so that whoever takes them in need not know how they came.
 */
import { StoreError } from './errors';

/** A model has a few dozen files. Who drops his whole disk is told so, not kept waiting. */
const MOST_FILES = 2000;

/**
 * To be called while the event is handled: browsers forget what was dropped as soon as that is over. Empty where no
 * files were dropped. Rejects with a `StoreError` of the problem `files` where something cannot be read, or is too much.
 */
export async function droppedFiles({ items, files }: DataTransfer): Promise<File[]> {
  const entries = [...items].filter(({ kind }) => kind === 'file').map((item) => item.webkitGetAsEntry());
  const known = entries.filter((entry) => entry !== null);
  // What is no part of a file system, such as a picture out of a page, has no entry.
  if (known.length < entries.length) return [...files];
  const found: File[] = [];
  for (const entry of known) {
    if (isFile(entry)) found.push(await fileOf(entry));
    else if (isDirectory(entry)) await walk(entry, found);
  }
  return found;
}

async function walk(top: FileSystemDirectoryEntry, found: File[]): Promise<void> {
  const folders = [top];
  let seen = 0;
  for (let folder = folders.shift(); folder; folder = folders.shift()) {
    for (const entry of await entriesOf(folder)) {
      // What is hidden is the system's, or git's: copies of everything, thousands of them.
      if (entry.name.startsWith('.')) continue;
      if ((seen += 1) > MOST_FILES) throw tooMany(top.name);
      if (isDirectory(entry)) folders.push(entry);
      else if (isFile(entry)) found.push(withPath(await fileOf(entry), entry.fullPath));
    }
  }
}

/** A reader gives a hundred or so at a time, and none when there are no more. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) => {
      reader.readEntries(done, (cause) => failed(unreadable(folder, cause)));
    });
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((done, failed) => entry.file(done, (cause) => failed(unreadable(entry, cause))));
}

/** As the picker tells it: from the folder that was chosen on, without a slash before. */
function withPath(file: File, fullPath: string): File {
  return Object.defineProperty(file, 'webkitRelativePath', { value: fullPath.replace(/^\//, '') });
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isDirectory(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

function unreadable({ fullPath }: FileSystemEntry, cause: unknown): StoreError {
  const message = `${fullPath.replace(/^\//, '')} cannot be read. It may have been moved, or belong to somebody else.`;
  return new StoreError('files', message, { cause });
}

function tooMany(name: string): StoreError {
  return new StoreError('files', `There are thousands of files in ${name}. Drop the folder of one model.`);
}
