/** The self-test of products: it passes where kernels are right, and says which one is wrong where it is. */
import { describe, expect, test } from 'vitest';
import { SelfTestError } from '$gpu/device';
import { takesIntegers, verifyProducts, type ProductMode } from '$gpu/ops';
import { LAYOUTS } from '$gpu/quant';
import { environment, large, useBareGpu } from '../../support/gpu';

describe('verifyProducts', () => {
  const gpu = useBareGpu();

  /** Each layout where kernels compile soon; else few, with all that is done on the way. `wide` asks of lanes alone. */
  const isQuick = environment === 'chromium' || (large && environment !== 'wide32');
  const isWide = environment === 'wide' && !large;
  const some = isWide ? [LAYOUTS.q8] : [LAYOUTS.f16, LAYOUTS.q8];
  const layouts = isQuick ? Object.values(LAYOUTS) : some;
  test.each(layouts)('passes for $name', async (layout) => {
    const modes: ProductMode[] = layout.name === 'q8' && !isWide ? ['plain', 'added', 'silu'] : ['plain'];
    const kinds = modes.map((mode) => ({ layout, mode, normed: mode !== 'added', padded: layout.name === 'f16' }));
    await verifyProducts(gpu(), kinds);
  });

  const finishes: ProductMode[] = isWide ? [] : ['gelu', 'capped'];
  test.each(finishes)('passes for what is %s', async (mode) => {
    await verifyProducts(gpu(), [{ layout: LAYOUTS.q8, mode, normed: true, padded: false }]);
  });

  const whole = Object.values(LAYOUTS).filter(takesIntegers);
  test.each(isQuick ? whole : [LAYOUTS.q6k])('passes for $name as integers', async (layout) => {
    const kinds = [{ layout, mode: 'plain', normed: true, padded: false, integers: true } as const];
    await verifyProducts(gpu(), kinds);
  });

  test('finds a kernel that computes wrongly, and names it', async () => {
    // A driver that leaves workgroups out: what it should have written stays as it was.
    const broken = new Proxy(gpu(), {
      get(target, name) {
        if (name === 'dispatch') {
          return (call: Parameters<typeof target.dispatch>[0]) => {
            const [x, y = 1] = call.workgroups;
            const isMany = call.pipeline.label.startsWith('matmul');
            target.dispatch({ ...call, workgroups: isMany ? [x, y - 1] : call.workgroups });
          };
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    const kind = { layout: LAYOUTS.q8, mode: 'plain', normed: false, padded: false } as const;
    await expect(verifyProducts(broken, [kind])).rejects.toThrow(SelfTestError);
    await expect(verifyProducts(broken, [kind])).rejects.toThrow(/37 x q8 plain is off by NaN/);
  });
});
