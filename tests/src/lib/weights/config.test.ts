/** Configurations as the publishers' files have them, family by family; what is left out, and what is refused. */
import { describe, expect, test } from 'vitest';
import { ARCHITECTURES } from '$gpu/formats/families';
import { configFromGguf, configFromJson, FormatError, memorySource, openWeights } from '$lib/weights';
import { f32, u32, writeGguf, type GgufValue } from '$lib/weights/gguf-writer';
import { tinyOf, tinyWeights } from '../../../support/llama';
import { tinyMetadata, tinyTensors } from '../../../support/tiny-gguf';
import { concat } from './files';

type Json = Parameters<typeof configFromJson>[0];

/** The numbers that matter, as published with each model. */
const PUBLISHED = {
  'Llama 3.2 1B': {
    model_type: 'llama',
    ...sizes(2048, 8192, 16, 32, 8, 128256, 131072),
    head_dim: 64,
    hidden_act: 'silu',
    attention_bias: false,
    mlp_bias: false,
    rms_norm_eps: 1e-5,
    rope_theta: 500000,
    rope_scaling: {
      factor: 32,
      high_freq_factor: 4,
      low_freq_factor: 1,
      original_max_position_embeddings: 8192,
      rope_type: 'llama3',
    },
    tie_word_embeddings: true,
  },
  'Mistral 7B v0.1': {
    model_type: 'mistral',
    ...sizes(4096, 14336, 32, 32, 8, 32000, 32768),
    hidden_act: 'silu',
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    sliding_window: 4096,
    tie_word_embeddings: false,
  },
  'SmolLM3 3B': {
    model_type: 'smollm3',
    ...sizes(2048, 11008, 36, 16, 4, 128256, 65536),
    hidden_act: 'silu',
    attention_bias: false,
    mlp_bias: false,
    rms_norm_eps: 1e-6,
    rope_theta: 5000000,
    rope_scaling: null,
    no_rope_layer_interval: 4,
    no_rope_layers: Array.from({ length: 36 }, (_, n) => ((n + 1) % 4 === 0 ? 0 : 1)),
    sliding_window: null,
    use_sliding_window: false,
    layer_types: Array.from({ length: 36 }, () => 'full_attention'),
    max_window_layers: 28,
    tie_word_embeddings: true,
  },
  'Qwen2.5 0.5B': {
    model_type: 'qwen2',
    ...sizes(896, 4864, 24, 14, 2, 151936, 32768),
    hidden_act: 'silu',
    rms_norm_eps: 1e-6,
    rope_theta: 1000000,
    sliding_window: 32768,
    use_sliding_window: false,
    max_window_layers: 21,
    tie_word_embeddings: true,
  },
  'Qwen3 0.6B': {
    model_type: 'qwen3',
    ...sizes(1024, 3072, 28, 16, 8, 151936, 40960),
    head_dim: 128,
    attention_bias: false,
    hidden_act: 'silu',
    rms_norm_eps: 1e-6,
    rope_theta: 1000000,
    rope_scaling: null,
    sliding_window: null,
    use_sliding_window: false,
    max_window_layers: 28,
    tie_word_embeddings: true,
  },
  'Gemma 2 2B': {
    model_type: 'gemma2',
    ...sizes(2304, 9216, 26, 8, 4, 256000, 8192),
    head_dim: 256,
    hidden_act: 'gelu_pytorch_tanh',
    hidden_activation: 'gelu_pytorch_tanh',
    attention_bias: false,
    rms_norm_eps: 1e-6,
    rope_theta: 10000,
    query_pre_attn_scalar: 256,
    attn_logit_softcapping: 50,
    final_logit_softcapping: 30,
    sliding_window: 4096,
  },
  'Gemma 3 1B': {
    model_type: 'gemma3_text',
    ...sizes(1152, 6912, 26, 4, 1, 262144, 32768),
    head_dim: 256,
    hidden_activation: 'gelu_pytorch_tanh',
    attention_bias: false,
    rms_norm_eps: 1e-6,
    rope_theta: 1000000,
    rope_local_base_freq: 10000,
    rope_scaling: null,
    query_pre_attn_scalar: 256,
    attn_logit_softcapping: null,
    final_logit_softcapping: null,
    sliding_window: 512,
    sliding_window_pattern: 6,
  },
  'Phi-3.5 mini': {
    model_type: 'phi3',
    ...sizes(3072, 8192, 32, 32, 32, 32064, 131072),
    hidden_act: 'silu',
    attention_bias: false,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    original_max_position_embeddings: 4096,
    rope_scaling: {
      type: 'longrope',
      short_factor: Array.from({ length: 48 }, (_, n) => 1 + n / 50),
      long_factor: Array.from({ length: 48 }, (_, n) => 1 + n),
    },
    sliding_window: 262144,
    tie_word_embeddings: false,
  },
  'Granite 3.1 2B': {
    model_type: 'granite',
    ...sizes(2048, 8192, 40, 32, 8, 49155, 131072),
    hidden_act: 'silu',
    attention_bias: false,
    mlp_bias: false,
    rms_norm_eps: 1e-5,
    rope_theta: 5000000,
    attention_multiplier: 0.015625,
    embedding_multiplier: 12,
    logits_scaling: 8,
    residual_multiplier: 0.22,
    tie_word_embeddings: true,
  },
  'OLMo 2 1B': {
    model_type: 'olmo2',
    ...sizes(2048, 8192, 16, 16, 16, 100352, 4096),
    hidden_act: 'silu',
    attention_bias: false,
    rms_norm_eps: 1e-6,
    rope_theta: 500000,
    rope_scaling: null,
    tie_word_embeddings: false,
  },
};

function sizes(width: number, ffn: number, layers: number, q: number, kv: number, vocab: number, context: number) {
  return {
    hidden_size: width,
    intermediate_size: ffn,
    num_hidden_layers: layers,
    num_attention_heads: q,
    num_key_value_heads: kv,
    vocab_size: vocab,
    max_position_embeddings: context,
  };
}

const read = (name: keyof typeof PUBLISHED) => configFromJson(PUBLISHED[name]);

describe('what publishers write', () => {
  test('is read for every family', () => {
    const names = Object.keys(PUBLISHED) as (keyof typeof PUBLISHED)[];
    expect(new Set(names.map((name) => read(name).architecture))).toEqual(new Set(ARCHITECTURES));
  });

  test('Llama 3.2: stretched positions, a shared head', () => {
    const { rope, tiedHead, headDim, layers } = read('Llama 3.2 1B');
    expect(rope).toEqual({
      theta: 500000,
      dims: 64,
      pairing: 'halves',
      scaling: { kind: 'llama3', factor: 32, fast: 4, slow: 1, original: 8192 },
    });
    expect([tiedHead, headDim, layers.length]).toEqual([true, 64, 16]);
  });

  test('Mistral: every layer has a window', () => {
    expect(read('Mistral 7B v0.1').layers).toEqual(
      Array.from({ length: 32 }, () => ({ window: 4096, rope: 'global' })),
    );
  });

  test('SmolLM3: every fourth layer does not turn', () => {
    const ropes = read('SmolLM3 3B').layers.map(({ rope }) => rope);
    expect(ropes.slice(0, 4)).toEqual(['global', 'global', 'global', 'none']);
    expect(ropes.filter((rope) => rope === 'none')).toHaveLength(9);
  });

  test('Qwen: a window that is not used is none', () => {
    expect(read('Qwen2.5 0.5B').layers.every(({ window }) => window === undefined)).toBe(true);
    const used = configFromJson({ ...PUBLISHED['Qwen2.5 0.5B'], use_sliding_window: true });
    expect(used.layers.findIndex(({ window }) => window === 32768)).toBe(21);
  });

  test('Gemma 2: every other layer has a window, scores and logits are bent, gains are short of one', () => {
    const { layers, scales, gainOffset, tiedHead } = read('Gemma 2 2B');
    expect(layers.slice(0, 3)).toEqual([
      { window: 4096, rope: 'global' },
      { rope: 'global' },
      { window: 4096, rope: 'global' },
    ]);
    expect(scales).toEqual({
      embedding: Math.sqrt(2304),
      residual: 1,
      attention: 1 / 16,
      logits: 1,
      attentionSoftcap: 50,
      logitSoftcap: 30,
    });
    expect([gainOffset, tiedHead]).toEqual([1, true]);
  });

  test('Gemma 3: five layers of six have a window, and turn otherwise', () => {
    const { layers, rope, localRope, scales } = read('Gemma 3 1B');
    expect(layers.filter(({ window }) => window === 512)).toHaveLength(22);
    expect([layers[4]!.rope, layers[5]!.rope]).toEqual(['local', 'global']);
    expect([rope.theta, localRope!.theta, scales.logitSoftcap]).toEqual([1e6, 1e4, 0]);
  });

  test('Gemma 3, in the fields of newer files', () => {
    const newer = configFromJson({
      ...PUBLISHED['Gemma 3 1B'],
      rope_theta: null,
      rope_local_base_freq: null,
      sliding_window_pattern: null,
      layer_types: Array.from({ length: 26 }, (_, n) => ((n + 1) % 6 ? 'sliding_attention' : 'full_attention')),
      rope_parameters: {
        full_attention: { rope_type: 'default', rope_theta: 1000000 },
        sliding_attention: { rope_type: 'default', rope_theta: 10000 },
      },
    });
    expect(newer).toEqual(read('Gemma 3 1B'));
  });

  test('Phi-3.5: a list of factors for short contexts and one for long ones', () => {
    const { rope, blocks } = read('Phi-3.5 mini');
    expect(rope.scaling).toMatchObject({ kind: 'factors', original: 4096 });
    // Of the model's card: sqrt(1 + ln 32 / ln 4096).
    expect(rope.scaling?.kind === 'factors' && rope.scaling.magnitude).toBeCloseTo(1.190238, 6);
    expect(blocks.fused).toBe(true);
  });

  test('Granite: four numbers to multiply by', () => {
    expect(read('Granite 3.1 2B').scales).toMatchObject({
      embedding: 12,
      residual: 0.22,
      attention: 1 / 64,
      logits: 1 / 8,
    });
  });

  test('OLMo 2: norms behind the branches', () => {
    expect(read('OLMo 2 1B').blocks).toMatchObject({ norms: 'after', queryKeyNorm: 'token' });
  });
});

describe('what is refused, by the name of its field', () => {
  const llama = PUBLISHED['Llama 3.2 1B'];
  const refusals: readonly (readonly [string, Json, RegExp])[] = [
    ['an unknown family', { ...llama, model_type: 'mamba' }, /model_type.*«mamba».*Known: llama .*olmo2/],
    ['another activation', { ...llama, hidden_act: 'relu' }, /hidden_act.*relu/],
    ['biases', { ...llama, attention_bias: true }, /attention_bias/],
    ['an unknown scaling', { ...llama, rope_scaling: { rope_type: 'dynamic', factor: 2 } }, /rope_type.*dynamic/],
    ['a scaling without its factor', { ...llama, rope_scaling: { rope_type: 'linear' } }, /rope_scaling\.factor/],
    ['a missing number', { ...llama, rms_norm_eps: null }, /rms_norm_eps/],
    ['a number that is a text', { ...llama, hidden_size: '2048' }, /hidden_size/],
    ['more layers than any model has', { ...llama, num_hidden_layers: 1e9 }, /num_hidden_layers.*1 to 1024/],
    ['no layers', { ...llama, num_hidden_layers: 0 }, /num_hidden_layers/],
    ['heads that there are none of', { ...llama, num_attention_heads: 0 }, /num_attention_heads.*from 1/],
    [
      'a number beyond all',
      JSON.parse(JSON.stringify(llama).replace('1e-5', '1e999').replace('0.00001', '1e999')),
      /rms_norm_eps/,
    ],
    ['positions that turn by nothing', { ...llama, rope_theta: 0 }, /rope_theta.*above 0/],
    ['a factor of nothing', { ...llama, rope_scaling: { rope_type: 'linear', factor: 0 } }, /rope_scaling\.factor/],
    [
      'factors for another head',
      { ...PUBLISHED['Phi-3.5 mini'], head_dim: 64 },
      /rope_scaling\.short_factor.*list of 32 numbers above 0/,
    ],
    ['logits divided by nothing', { ...PUBLISHED['Granite 3.1 2B'], logits_scaling: 0 }, /logits_scaling/],
    ['too few kinds of layers', { ...llama, layer_types: ['full_attention'] }, /layer_types/],
    [
      'an unknown kind of layer',
      { ...llama, layer_types: Array(16).fill('linear_attention') as Json },
      /linear_attention/,
    ],
    ['attention that looks ahead', { ...PUBLISHED['Gemma 3 1B'], use_bidirectional_attention: true }, /bidirectional/],
    ['a list', [], /JSON object/],
  ];
  test.each(refusals)('%s', (_, json, message) => {
    expect(() => configFromJson(json)).toThrow(FormatError);
    expect(() => configFromJson(json)).toThrow(message);
  });
});

describe('what is refused of a GGUF file’s metadata, by the name of its key', () => {
  const config = tinyOf('granite', {
    scales: { embedding: 1, residual: 1, attention: 1, logits: 1, attentionSoftcap: 0, logitSoftcap: 0 },
  });
  const tensors = tinyTensors(tinyWeights(config, 'F32'));
  const read = async (changes: Record<string, GgufValue>): Promise<unknown> => {
    const metadata = { ...tinyMetadata(config), ...changes };
    return configFromGguf(await openWeights(memorySource(concat(writeGguf({ metadata, tensors })), 'model.gguf')));
  };

  test('nothing, as it is', async () => {
    await expect(read({})).resolves.toMatchObject({ architecture: 'granite' });
  });

  test.each<[string, GgufValue, RegExp]>([
    ['block_count', u32(0xffffffff), /1 to 1024, but is 4294967295/],
    ['block_count', u32(0), /1 to 1024/],
    ['attention.head_count', u32(0), /from 1/],
    ['attention.head_count_kv', u32(0), /from 1/],
    ['context_length', u32(0), /from 1/],
    ['attention.layer_norm_rms_epsilon', f32(NaN), /above 0/],
    ['rope.freq_base', f32(Infinity), /above 0/],
    ['rope.freq_base', f32(-1), /above 0/],
    ['logit_scale', f32(0), /above 0/],
    ['residual_scale', f32(NaN), /a number, but is NaN/],
  ])('%s', async (key, value, message) => {
    const error = await read({ [`granite.${key}`]: value }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FormatError);
    expect(error).toMatchObject({
      file: 'model.gguf',
      field: `granite.${key}`,
      message: expect.stringMatching(message) as string,
    });
  });
});
