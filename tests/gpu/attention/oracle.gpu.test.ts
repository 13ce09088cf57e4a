/** The kernels against ONNX Runtime, without our reference in between. */
import { beforeEach, describe, it } from 'vitest';
import { flashAttention } from '$gpu/attention';
import { runOnCache } from '../../support/attention/cache_device';
import { attendOnGpu, useGpu } from '../../support/attention/device';
import {
  ATTENTION_CASES,
  attentionQuestion,
  CACHE_CASES,
  cacheQuestion,
  ORACLE_TOLERANCE,
  rowsWithKeys,
} from '../../support/attention/oracle_cases';
import { expectClose } from '../../support/attention/rule';
import { missingOracle } from '../../support/onnx';

const gpu = useGpu();

beforeEach(async (context) => {
  const why = await missingOracle();
  if (why) context.skip(why);
});

describe("flashAttention and ONNX Runtime's Attention", () => {
  it.each(ATTENTION_CASES)('D $headDim, $lengths, $heads, $mask, $alibi, softcap $softcap, $scale', async (row) => {
    const { problem, inputs, answer } = attentionQuestion(row);
    const { out, lse } = await attendOnGpu(gpu(), flashAttention, problem, inputs);
    expectClose('out', out, rowsWithKeys(await answer(), lse, problem.shapes), ORACLE_TOLERANCE);
  });
});

describe("flashAttentionWithKvCache and ONNX Runtime's GroupQueryAttention", () => {
  it.each(CACHE_CASES)('D $headDim, $queries, $heads, $rotary, $mask, softcap $softcap, sinks $sinks', async (row) => {
    const { problem, answer } = cacheQuestion(row);
    const { out } = await runOnCache(gpu(), problem, { numSplits: 0, integers: 'Int32Array' });
    expectClose('out', out, await answer(), ORACLE_TOLERANCE);
  });
});
