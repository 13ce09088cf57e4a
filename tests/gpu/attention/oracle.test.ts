/** attentionReference against ONNX Runtime: two accounts of attention, by different hands, have to agree. */
import { beforeEach, describe, expect, it } from 'vitest';
import { attentionReference } from '$gpu/attention/reference';
import {
  ATTENTION_CASES,
  attentionQuestion,
  CACHE_CASES,
  cacheQuestion,
  ORACLE_TOLERANCE,
  rowsWithKeys,
} from '../../support/attention/oracle_cases';
import { worstOf } from '../../support/attention/rule';
import { missingOracle } from '../../support/onnx';

beforeEach(async (context) => {
  const why = await missingOracle();
  if (why) context.skip(why);
});

describe('Attention, with an explicit mask', () => {
  it.each(ATTENTION_CASES)('D $headDim, $lengths, $heads, $mask, $alibi, softcap $softcap, $scale', async (row) => {
    const { problem, inputs, answer } = attentionQuestion(row);
    const { out, lse } = attentionReference(inputs.q, inputs.k, inputs.v, problem.shapes, problem.options);
    const wanted = rowsWithKeys(out, lse, problem.shapes);
    expect(worstOf(await answer(), wanted).error).toBeLessThan(ORACLE_TOLERANCE);
  });
});

describe('Attention, with its own causal mask, where Sq = Sk', () => {
  const square = ATTENTION_CASES.map(
    (row) => ({ ...row, lengths: [64, 64], mask: 'causal', alibi: 'no ALiBi' }) as const,
  );

  it.each(square)('D $headDim, $lengths, $heads, softcap $softcap, $scale', async (row) => {
    const { problem, inputs, answer } = attentionQuestion(row);
    const { out } = attentionReference(inputs.q, inputs.k, inputs.v, problem.shapes, problem.options);
    expect(worstOf(await answer('its own causal mask'), out).error).toBeLessThan(ORACLE_TOLERANCE);
  });
});

describe('GroupQueryAttention, on a cache', () => {
  it.each(CACHE_CASES)('D $headDim, $queries, $heads, $rotary, $mask, softcap $softcap, sinks $sinks', async (row) => {
    const { problem, answer } = cacheQuestion(row);
    const { inputs, problem: gathered } = problem.gathered;
    const { out } = attentionReference(inputs.q, inputs.k, inputs.v, gathered.shapes, gathered.options);
    expect(worstOf(await answer(), out).error).toBeLessThan(ORACLE_TOLERANCE);
  });
});
