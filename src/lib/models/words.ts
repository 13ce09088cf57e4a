/** What the store tells of models, in words that people know. Pure functions of plain data. */
import type { Choice, ModelState } from '$lib/store';
import { formatBytes } from '$lib/ui/format';

export function choiceWords({ name, format, quantization, bytes }: Choice): string {
  const kind = format === 'gguf' ? (quantization ?? 'GGUF') : 'safetensors';
  return name.toUpperCase().includes(kind)
    ? `${name}, ${formatBytes(bytes)}`
    : `${name}, ${kind}, ${formatBytes(bytes)}`;
}

/** «120 MB of 380 MB, 12 MB a second, about 2 minutes left». */
export function modelWords(model: ModelState): string {
  const { status, bytes, done, failure } = model;
  const part = `${formatBytes(done)} of ${formatBytes(bytes)}`;
  switch (status) {
    case 'whole':
      return formatBytes(bytes);
    case 'queued':
      return `Waiting for its turn: ${part}`;
    case 'downloading':
      return [part, ...paceWords(model)].join(', ');
    case 'waiting':
      return `${part}. ${holdWords(model)}`;
    case 'checking':
      return `Checking: ${part}`;
    case 'paused':
      return `Paused: ${part}`;
    case 'failed':
    case 'damaged':
      return failure?.message ?? part;
  }
}

function paceWords({ bytesPerSecond, secondsLeft }: ModelState): string[] {
  if (bytesPerSecond === undefined || secondsLeft === undefined) return [];
  return [`${formatBytes(bytesPerSecond)} a second`, `${timeWords(secondsLeft)} left`];
}

function holdWords({ hold }: ModelState): string {
  if (hold?.why === 'busy') return 'The server asked to wait; it goes on by itself.';
  if (hold?.why === 'broken') return 'The server has trouble; it is tried again.';
  return 'Waiting for the network; it goes on by itself.';
}

/** 200 -> «about 3 minutes». */
export function timeWords(seconds: number): string {
  if (seconds < 10) return 'a few seconds';
  if (seconds < 55) return `about ${Math.round(seconds / 10) * 10} seconds`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return minutes <= 1 ? 'about a minute' : `about ${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  return hours === 1 ? 'about an hour' : `about ${hours} hours`;
}
