/** How far the opening of a model has come, as one line that rewrites itself; on a terminal alone. */
import type { LoadProgress } from '$lib/engine/protocol';
import type { DownloadProgress } from './store';

/** As much of a stream as this needs. */
export interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const WIDTH = 24;
const ERASE_LINE = '\r\x1b[K';

const PHASES: Readonly<Record<LoadProgress['phase'], string>> = {
  device: 'opening the GPU',
  read: 'reading the model',
  upload: 'handing it to the GPU',
  compile: 'compiling and testing',
  server: 'asking the server',
};

export class ProgressLine {
  readonly #terminal: Terminal;
  #shown = '';

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show({ phase, done, total }: LoadProgress): void {
    const line =
      done === undefined || !total
        ? PHASES[phase]
        : `${bar(done / total)} ${PHASES[phase]}, ${megabytes(done)} of ${megabytes(total)}`;
    this.#write(line);
  }

  showDownload({ status, done, total, secondsLeft }: DownloadProgress): void {
    const left = secondsLeft === undefined ? '' : `, ${minutes(secondsLeft)} left`;
    const what = status === 'checking' ? 'checking the download' : status;
    this.#write(`${bar(total > 0 ? done / total : 0)} ${what}, ${megabytes(done)} of ${megabytes(total)}${left}`);
  }

  #write(line: string): void {
    if (!this.#terminal.isTTY || line === this.#shown) return;
    this.#shown = line;
    this.#terminal.write(ERASE_LINE + line);
  }

  /** Leaves nothing behind. */
  clear(): void {
    if (this.#shown !== '') this.#terminal.write(ERASE_LINE);
    this.#shown = '';
  }
}

function bar(part: number): string {
  const full = Math.round(part * WIDTH);
  return `[${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}]`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}

function minutes(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
