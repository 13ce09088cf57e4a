/**
 * Sampling in float64 on the CPU: what the kernels are judged by. Readable, and slow.
 */
import { isTypical } from './sampling';
import type { CheckedSampling } from './sampling';

/** What a request has seen: the tokens of its prompt, and those it has drawn, in order. */
export interface Seen {
  readonly prompt: readonly number[];
  readonly drawn: readonly number[];
}

/** Logits after bias, repetition, frequency and presence penalty. */
export function penalise(logits: ArrayLike<number>, { prompt, drawn }: Seen, sampling: CheckedSampling): Float64Array {
  const { logitBias, repetitionPenalty, presencePenalty, frequencyPenalty } = sampling;
  const z = Float64Array.from(logits);
  for (const [id, bias] of Object.entries(logitBias)) z[Number(id)]! += bias;
  for (const id of new Set([...prompt, ...drawn])) {
    z[id] = z[id]! > 0 ? z[id]! / repetitionPenalty : z[id]! * repetitionPenalty;
  }
  for (const id of new Set(drawn)) z[id]! -= presencePenalty;
  for (const id of drawn) z[id]! -= frequencyPenalty;
  return z;
}

export interface Kept {
  /** Likeliest first; of equals, the lowest id first. */
  readonly ids: readonly number[];
  /** What comes after them in that order, if anything does. */
  readonly next: number | undefined;
  /** Where topP or typicalP stands between the masses of one token less and of those kept, as the smaller of the two
   * distances: near 0, rounding may keep one more or one less. */
  readonly slack: number;
}

/** Which tokens temperature, top-k, top-p, min-p and typical-p keep, in that order. */
export function keepTokens(z: ArrayLike<number>, sampling: CheckedSampling): Kept {
  const kept = keepHead(z, sampling);
  return isTypical(sampling) ? keepTypical(z, kept, sampling) : kept;
}

/** Top-k, top-p and min-p keep the likeliest. */
function keepHead(z: ArrayLike<number>, { temperature, topK, topP, minP }: CheckedSampling): Kept {
  const all = Array.from(z, (_, id) => id)
    .filter((id) => z[id]! > -Infinity)
    .sort((a, b) => z[b]! - z[a]! || a - b);
  let ids = topK > 0 ? all.slice(0, topK) : all;
  const best = z[ids[0]!]!;
  const weight = (id: number): number => Math.exp((z[id]! - best) / temperature);
  let slack = 1;
  if (topP < 1) {
    const total = ids.reduce((sum, id) => sum + weight(id), 0);
    let [count, before, mass] = [0, 0, 0];
    while (count === 0 || (mass < topP && count < ids.length)) {
      before = mass;
      mass += weight(ids[count]!) / total;
      count += 1;
    }
    ids = ids.slice(0, count);
    slack = Math.min(Math.abs(mass - topP), count > 1 ? Math.abs(before - topP) : 1);
  }
  if (minP > 0) ids = ids.filter((id) => weight(id) >= minP);
  return { ids, next: all[ids.length], slack };
}

/** By definition: surprises against the entropy, nearest first, of the probabilities that the cuts before have left. */
function keepTypical(z: ArrayLike<number>, { ids, slack }: Kept, { temperature, typicalP }: CheckedSampling): Kept {
  const weights = ids.map((id) => Math.exp((z[id]! - z[ids[0]!]!) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const tokens = ids.map((id, n) => ({ id, p: weights[n]! / total, surprise: Math.log(total / weights[n]!) }));
  const entropy = tokens.reduce((sum, { p, surprise }) => sum + (p > 0 ? p * surprise : 0), 0);
  const far = ({ surprise }: { surprise: number }): number => Math.abs(surprise - entropy);
  tokens.sort((a, b) => far(a) - far(b) || a.id - b.id);
  let [count, before, mass] = [0, 0, 0];
  while (count === 0 || (mass < typicalP && count < tokens.length)) {
    before = mass;
    mass += tokens[count]!.p;
    count += 1;
  }
  const radius = far(tokens[count - 1]!);
  const isKept = (token: { surprise: number }): boolean => far(token) <= radius;
  // Rounding may also let in the next token, or shut out the last, where distances nearly agree. Float32 knows them to
  // some 1e-5, masses to 1e-6.
  const edge = tokens
    .map((token) => Math.abs(far(token) - radius) / (1 + radius))
    .reduce((least, gap) => (gap > 0 && gap < least ? gap : least), 1);
  return {
    ids: tokens
      .filter(isKept)
      .map(({ id }) => id)
      .sort((a, b) => z[b]! - z[a]! || a - b),
    next: tokens.find((token) => !isKept(token))?.id,
    slack: Math.min(slack, Math.abs(mass - typicalP), count > 1 ? Math.abs(before - typicalP) : 1, edge / 10),
  };
}

export interface Draw {
  readonly id: number;
  /** By how much its score is above the next: where it is little, float32 may draw the other. */
  readonly margin: number;
}

/** The token drawn at a position of the sequence, of penalised logits. */
export function drawToken(
  z: ArrayLike<number>,
  ids: readonly number[],
  sampling: CheckedSampling,
  position: number,
): Draw {
  const { temperature, seed } = sampling;
  if (temperature === 0) return { id: ids[0]!, margin: Infinity };
  const best = z[ids[0]!]!;
  let [winner, first, second] = [-1, -Infinity, -Infinity];
  for (const id of ids) {
    const score = (z[id]! - best) / temperature + gumbel(seed, position, id);
    if (score > first) [winner, first, second] = [id, score, first];
    else second = Math.max(second, score);
  }
  return { id: winner, margin: first - second };
}

/** The `top` likeliest tokens with their logarithmic probabilities. */
export function likeliest(logits: ArrayLike<number>, top: number): [id: number, logprob: number][] {
  const ids = Array.from(logits, (_, id) => id).sort((a, b) => logits[b]! - logits[a]! || a - b);
  const best = logits[ids[0]!]!;
  const total = ids.reduce((sum, id) => sum + Math.exp(logits[id]! - best), 0);
  return ids.slice(0, top).map((id) => [id, logits[id]! - best - Math.log(total)]);
}

// ---- random numbers --------------------------------------------------------------------------------------------

const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

/** Threefry-2x32, 20 rounds. */
export function threefry(key: readonly [number, number], counter: readonly [number, number]): [number, number] {
  const keys = [key[0], key[1], 0x1bd11bda ^ key[0] ^ key[1]];
  let x = (counter[0] + keys[0]!) | 0;
  let y = (counter[1] + keys[1]!) | 0;
  for (let block = 0; block < 5; block++) {
    for (const rotation of ROTATIONS[block % 2]!) {
      x = (x + y) | 0;
      y = ((y << rotation) | (y >>> (32 - rotation))) ^ x;
    }
    x = (x + keys[(block + 1) % 3]!) | 0;
    y = (y + keys[(block + 2) % 3]! + block + 1) | 0;
  }
  return [x >>> 0, y >>> 0];
}

/** Gumbel noise of a token at a position. */
export function gumbel(seed: number, position: number, id: number): number {
  const [bits] = threefry([(seed % 2 ** 32) | 0, Math.floor(seed / 2 ** 32)], [position, id]);
  const uniform = (bits + 0.5) / 2 ** 32;
  return -Math.log(-Math.log1p(-uniform));
}
