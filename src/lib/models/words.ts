/** What the store and the catalog tell, in words that people know and in their language. Functions of plain data. */
import type { DeviceFacts, FitReason, Verdict } from '$lib/catalog/fit';
import type { CatalogEntry } from '$lib/catalog/entries';
import type { Choice, ModelState, StoreFailure } from '$lib/store';
import { formatBytes, formatPercent } from '$lib/ui/format';
import { language, t } from '$lib/ui/language.svelte';
import { partDone } from './standing';

export function sizeWords(bytes: number): string {
  return formatBytes(bytes, language());
}

/** «Qwen3-0.6B, Q8_0»: with its quantisation, once. */
export function choiceName({ name, format, quantization }: Choice): string {
  const kind = format === 'gguf' ? (quantization ?? 'GGUF') : 'safetensors';
  return name.toUpperCase().includes(kind.toUpperCase()) ? name : `${name}, ${kind}`;
}

/** «120 MB of 380 MB · 12 MB a second · about 2 minutes left», in its parts. */
export function statusWords(model: ModelState): string[] {
  const { status, bytes, done, hold } = model;
  const words = t().models;
  const part = words.part(sizeWords(done), sizeWords(bytes));
  switch (status) {
    case 'whole':
      return [sizeWords(bytes)];
    case 'downloading':
      return [part, ...paceWords(model)];
    case 'waiting':
      return [words.status[hold?.why ?? 'network'], part];
    case 'queued':
    case 'checking':
    case 'paused':
      return [words.status[status], part];
    case 'failed':
    case 'damaged':
      return [part];
  }
}

/** The same for a narrow place: «31% · about 20 seconds left». */
export function briefWords(model: ModelState): string[] {
  if (model.failure) return [failureTitle(model.failure)];
  const part = formatPercent(partDone(model), language());
  if (model.status !== 'downloading') return [statusWords(model)[0]!, part];
  return [part, ...paceWords(model).slice(1)];
}

function paceWords({ bytesPerSecond, secondsLeft }: ModelState): string[] {
  if (bytesPerSecond === undefined || secondsLeft === undefined) return [];
  return [t().models.pace(sizeWords(bytesPerSecond)), timeWords(secondsLeft)];
}

/** 200 -> «about 3 minutes left». */
export function timeWords(seconds: number): string {
  const { left } = t().models;
  if (seconds < 10) return left.seconds;
  if (seconds < 55) return left.someSeconds(Math.round(seconds / 10) * 10);
  const minutes = Math.max(1, Math.round(seconds / 60));
  return minutes < 60 ? left.minutes(minutes) : left.hours(Math.round(minutes / 60));
}

/** What went wrong, in a few words; the store's own message says what to do. */
export function failureTitle({ problem }: StoreFailure): string {
  return t().models.failed[problem];
}

/** Why a model runs here as it does, the first that which decided. */
export function reasonWords({ reasons, context, path }: Verdict, device: DeviceFacts): string[] {
  const words = t().models.fit;
  return reasons.map(({ reason, message }) => {
    switch (reason) {
      case 'unsupported':
      case 'not-on-gpu':
        return message;
      case 'memory':
        return words.memory(sizeWords(device.memory));
      case 'short-context':
        return words['short-context'](context);
      case 'no-gpu':
        return path === 'cpu' && !device.processor ? words['too-old'] : words['no-gpu'];
      default:
        return words[
          reason satisfies Exclude<FitReason, 'unsupported' | 'not-on-gpu' | 'memory' | 'short-context' | 'no-gpu'>
        ];
    }
  });
}

/** Where a model comes from: its repository, its address, or a person's own file. */
export function originWords({ origin }: ModelState): string {
  if (origin.kind === 'local') return t().models.local;
  return origin.repo ?? origin.address.replace(/^https?:\/\//, '');
}

/** More would be a paragraph. */
const MOST_NAMES = 6;

/** Languages by their names in the one that is spoken; how many where they are many. */
export function languageWords(entry: Pick<CatalogEntry, 'languages'>): string {
  const { languages } = entry;
  if (languages.includes('mul')) return t().models.catalogue.many;
  return languages.length > MOST_NAMES ? t().models.catalogue.languages(languages.length) : languageNames(entry);
}

export function languageNames({ languages }: Pick<CatalogEntry, 'languages'>): string {
  if (languages.includes('mul')) return '';
  const names = new Intl.DisplayNames(language(), { type: 'language' });
  return new Intl.ListFormat(language(), { type: 'unit' }).format(languages.map((code) => names.of(code) ?? code));
}

/** What an entry is good for; '' where nobody has written it down. */
export function goodForWords({ id }: Pick<CatalogEntry, 'id'>): string {
  const known: Readonly<Record<string, string>> = t().models.goodFor;
  return known[id] ?? '';
}
