/** Never silent garbage: a kernel that computes wrongly is found, named and left alone, and something right serves. */
import { describe, expect, it } from 'vitest';
import { attention, flashAttention, type Variant } from '$gpu/attention';
import { SelfTestError, type Gpu } from '$gpu/device';
import { openTestGpu } from '../../support/gpu';
import { attendOnGpu, VARIANTS_HERE } from '../../support/attention/device';
import { randomInputs, type Problem } from '../../support/attention/problem';
import { expectByTheRule, judgeOf } from '../../support/attention/rule';

/** One that runs here. */
const right = VARIANTS_HERE[0]!;

/** A variant made of nothing but a shader text. */
function written(name: string, shader: string): Variant {
  const module = `broken/${name.replaceAll(' ', '_')}`;
  return {
    name,
    tileRows: 32,
    fits: () => true,
    spec: () => ({
      label: name,
      module,
      sources: [{ [`${module}.wesl`]: shader }],
      bindings: ['uniform', 'read', 'read', 'read', 'write', 'write', 'none', 'none'],
    }),
  };
}

const writesNothing = written('writes nothing', '@compute @workgroup_size(1) fn main() {}');

const writesZeros = written(
  'writes zeros',
  `@group(0) @binding(4) var<storage, read_write> out: array<f32>;
   @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
     for (var i = id.x; i < arrayLength(&out); i += 64) { out[i] = 0.0; }
   }`,
);

/** The right kernel with one constant wrong: it leaves out the last keys of every tile of the head. */
const almostRight: Variant = {
  ...right,
  name: 'almost right',
  spec: (gpu, traits) => {
    const spec = right.spec(gpu, traits);
    return { ...spec, label: 'almost right', constants: { ...spec.constants, HEAD_DIM: traits.headDim - 4 } };
  },
};

const doesNotCompile = written('does not compile', '@compute @workgroup_size(64) fn main() { let x: i32 = 1.5; }');

const broken = { writesNothing, writesZeros, almostRight };

const problem: Problem = {
  shapes: { batch: 1, seqQ: 70, seqK: 70, headsQ: 2, headsKv: 1, headDim: 64 },
  dtype: 'f32',
  options: { causal: true },
};

async function withVariants(
  variants: readonly Variant[],
  body: (gpu: Gpu) => Promise<void>,
  headDims = [64],
): Promise<void> {
  const gpu = await openTestGpu({ prepare: [attention({ variants, headDims, dtypes: ['f32'] })] });
  try {
    await body(gpu);
  } finally {
    gpu.destroy();
  }
}

async function expectRight(gpu: Gpu): Promise<void> {
  const inputs = randomInputs(problem, 1);
  expectByTheRule(await attendOnGpu(gpu, flashAttention, problem, inputs), judgeOf(problem, inputs));
}

/** The report's lines about attention. */
const linesOf = (gpu: Gpu, level?: 'warning'): string[] =>
  gpu
    .report()
    .notes.filter((note) => note.room === 'attention' && (!level || note.level === level))
    .map(({ name, text }) => `${name}: ${text}`);

describe('attention() as a preparation', () => {
  it.each(Object.entries(broken))('%s is refused and named; the right one serves', async (_, variant) => {
    await withVariants([variant, right], async (gpu) => {
      await expectRight(gpu);
      expect(linesOf(gpu, 'warning')).toEqual([expect.stringContaining(variant.name)]);
      expect(linesOf(gpu).filter((line) => line.includes(right.name))).toHaveLength(1);
      expect(gpu.uncaptured).toEqual([]);
    });
  });

  it('where all are broken, standardAttention serves, and the report says so', async () => {
    await withVariants(Object.values(broken), async (gpu) => {
      await expectRight(gpu);
      const warnings = linesOf(gpu, 'warning');
      for (const { name } of Object.values(broken)) expect(warnings.join('\n')).toContain(name);
      expect(warnings.join('\n')).toContain('standardAttention serves');
    });
  });

  it('where the driver takes no flash kernel at all, standardAttention serves', async () => {
    await withVariants([], async (gpu) => {
      await expectRight(gpu);
      expect(linesOf(gpu, 'warning').join('\n')).toContain('standardAttention serves');
    });
  });

  it('a kernel that this driver does not compile is refused like one that computes wrongly', async () => {
    await withVariants([doesNotCompile, right], async (gpu) => {
      await expectRight(gpu);
      expect(linesOf(gpu, 'warning').join('\n')).toContain(doesNotCompile.name);
      expect(gpu.uncaptured).toEqual([]);
    });
  });
});

describe('inputs that nothing was prepared for', () => {
  it('are computed at once, and given out only when the kernel has passed its test', async () => {
    await withVariants(
      [writesZeros, right],
      async (gpu) => {
        const inputs = randomInputs(problem, 2);
        const call = (): Promise<unknown> => attendOnGpu(gpu, flashAttention, problem, inputs);
        await expect(call()).rejects.toThrow(SelfTestError);
        expect(linesOf(gpu, 'warning').join('\n')).toContain(writesZeros.name);
        // From now on another kernel serves.
        gpu.takeErrors();
        await expectRight(gpu);
      },
      [],
    );
  });

  it('need no test where the caller has switched tests off', async () => {
    const gpu = await openTestGpu({ selfTest: false, prepare: [attention({ variants: [right], headDims: [] })] });
    await expectRight(gpu);
    expect(linesOf(gpu, 'warning')).toEqual([]);
    gpu.destroy();
  });
});
