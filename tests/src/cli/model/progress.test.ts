/** What a terminal shows while a model comes: one line, which leaves nothing behind. */
import { expect, test } from 'vitest';
import { ProgressLine } from '../../../../src/cli/model/progress';

function lineOn(isTTY: boolean): { line: ProgressLine; written: string[] } {
  const written: string[] = [];
  return { line: new ProgressLine({ isTTY, write: (text) => written.push(text) }), written };
}

test('how far a download is, and how long it takes still; the same words once', () => {
  const { line, written } = lineOn(true);
  const MIB = 2 ** 20;
  line.showDownload({ status: 'downloading', done: 256 * MIB, total: 512 * MIB, secondsLeft: 200 });
  line.showDownload({ status: 'downloading', done: 256 * MIB, total: 512 * MIB, secondsLeft: 200 });
  line.showDownload({ status: 'checking', done: 512 * MIB, total: 512 * MIB });
  line.clear();
  expect(written).toEqual([
    `\r\x1b[K[${'#'.repeat(12)}${'.'.repeat(12)}] downloading, 256 MB of 512 MB, 3 min left`,
    `\r\x1b[K[${'#'.repeat(24)}] checking the download, 512 MB of 512 MB`,
    '\r\x1b[K',
  ]);
});

test('where nobody looks, nothing', () => {
  const { line, written } = lineOn(false);
  line.showDownload({ status: 'downloading', done: 1, total: 2 });
  line.clear();
  expect(written).toEqual([]);
});
