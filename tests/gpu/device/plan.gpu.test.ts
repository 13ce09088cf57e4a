import { afterEach, beforeEach, expect, test } from 'vitest';
import { ArgumentError, type Gpu } from '$gpu/device';
import { openTestGpu, poisoned } from '../../support/gpu';
import { increment, scale, scaleParams } from './kernels';

let gpu: Gpu;
beforeEach(async () => {
  gpu = await openTestGpu();
});
afterEach(() => {
  expect(gpu.uncaptured).toEqual([]);
  gpu.destroy();
});

test('a body is captured, not run; runs replay it', async () => {
  const counter = gpu.upload(new Uint32Array(1), [1]);
  const plan = gpu.record(() => {
    increment(gpu, counter);
    increment(gpu, counter);
    return counter;
  });
  expect(plan.dispatchCount).toBe(2);
  expect(plan.result).toBe(counter);
  expect([...(await gpu.downloadInts(counter))]).toEqual([0]);
  plan.run();
  plan.run(10);
  plan.run(0);
  expect([...(await gpu.downloadInts(counter))]).toEqual([22]);
});

test('runs are in order with immediate dispatches and writes', async () => {
  const source = gpu.upload([1], [1]);
  const middle = poisoned(gpu, [1], 'f32');
  const target = poisoned(gpu, [1], 'f32');
  const plan = gpu.record(() => {
    scale(gpu, middle, target, 10);
  });
  scale(gpu, source, middle, 3);
  plan.run();
  scale(gpu, source, middle, 100);
  expect([...(await gpu.download(target))]).toEqual([30]);
  gpu.write(middle, [7]);
  plan.run();
  gpu.write(middle, [8]);
  expect([...(await gpu.download(target))]).toEqual([70]);
});

/** Counts what `device` creates while `body` runs. */
function creations(device: GPUDevice, body: () => void): Record<string, number> {
  const counts: Record<string, number> = {};
  const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(device)).filter((name) => name.startsWith('create'));
  const target = device as unknown as Record<string, unknown>;
  for (const name of methods) {
    const original = target[name] as (...args: unknown[]) => unknown;
    target[name] = (...args: unknown[]) => {
      counts[name] = (counts[name] ?? 0) + 1;
      return original.apply(device, args);
    };
  }
  try {
    body();
  } finally {
    // Own properties hide the prototype's methods; without them those are back.
    for (const name of methods) Reflect.deleteProperty(target, name);
  }
  return counts;
}

test('100 replays create 100 command encoders and nothing else', async () => {
  const source = gpu.upload([1, 2, 3], [3]);
  const plan = gpu.record(() => {
    const temporary = gpu.scratch([3], 'f32');
    const target = gpu.empty([3], 'f32');
    for (let i = 0; i < 20; i++) {
      scale(gpu, source, temporary, i, 0, 'step');
      scale(gpu, temporary, target, 2);
    }
    return target;
  });
  const reserved = gpu.memory().reserved;
  const counts = creations(gpu.device, () => {
    for (let i = 0; i < 100; i++) {
      plan.update('step', scaleParams(3, i));
      plan.run();
    }
  });
  expect(counts).toEqual({ createCommandEncoder: 100 });
  expect(gpu.memory().reserved).toBe(reserved);
  expect([...(await gpu.download(plan.result))]).toEqual([198, 396, 594]);
});

test('the counter of creations counts', () => {
  const counts = creations(gpu.device, () => gpu.empty([3], 'f32'));
  expect(counts).toEqual({ createBuffer: 1 });
});

test('parameters change by label or index, in one write a run', async () => {
  const source = gpu.upload([1], [1]);
  const [a, b] = [poisoned(gpu, [1], 'f32'), poisoned(gpu, [1], 'f32')];
  const plan = gpu.record(() => {
    scale(gpu, source, a, 1, 0, 'both');
    scale(gpu, source, b, 2, 0, 'both');
    scale(gpu, source, gpu.scratch([1], 'f32'), 3, 0, 'other');
  });
  plan.run();
  expect([(await gpu.download(a))[0], (await gpu.download(b))[0]]).toEqual([1, 2]);

  let writes = 0;
  const { queue } = gpu.device;
  const write = queue.writeBuffer.bind(queue);
  queue.writeBuffer = (...args: Parameters<typeof write>) => {
    writes += 1;
    write(...args);
  };
  plan.update('both', scaleParams(1, 7));
  plan.update(1, scaleParams(1, 8));
  plan.run();
  plan.run();
  Reflect.deleteProperty(queue, 'writeBuffer');
  expect(writes).toBe(1);
  expect([(await gpu.download(a))[0], (await gpu.download(b))[0]]).toEqual([7, 8]);

  expect(() => {
    plan.update('absent', scaleParams(1, 1));
  }).toThrow(ArgumentError);
  expect(() => {
    plan.update(0, { bytes: new Uint8Array(4) });
  }).toThrow(/expected 16/);
});

test('a run that was submitted keeps the parameters it was given', async () => {
  const source = gpu.upload([1], [1]);
  const targets = Array.from({ length: 5 }, () => poisoned(gpu, [1], 'f32'));
  const last = gpu.empty([1], 'f32');
  const plan = gpu.record(() => {
    scale(gpu, source, last, 0, 0, 'step');
  });
  targets.forEach((target, index) => {
    plan.update('step', scaleParams(1, index));
    plan.run();
    gpu.copy(last, target);
  });
  const values = await Promise.all(targets.map((target) => gpu.download(target)));
  expect(values.map(([x]) => x)).toEqual([0, 1, 2, 3, 4]);
});

test('a plan can be encoded into a pass of the caller’s', async () => {
  const counter = gpu.upload(new Uint32Array(1), [1]);
  const plan = gpu.record(() => {
    increment(gpu, counter);
  });
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  plan.encode(pass);
  plan.encode(pass);
  pass.end();
  gpu.device.queue.submit([encoder.finish()]);
  expect([...(await gpu.downloadInts(counter))]).toEqual([2]);
});

test('temporaries of scopes share memory inside a plan', async () => {
  const source = gpu.upload([1, 2], [2]);
  const target = poisoned(gpu, [2], 'f32');
  const buffers = new Set<GPUBuffer>();
  const used = gpu.memory().used;
  const plan = gpu.record(() => {
    for (let i = 0; i < 6; i++) {
      gpu.scoped(() => {
        const temporary = gpu.scratch([2], 'f32');
        buffers.add(temporary.buffer);
        scale(gpu, source, temporary, 1, i);
        scale(gpu, temporary, target, 1);
      });
    }
  });
  expect(buffers.size).toBe(1);
  expect(gpu.memory().used).toBe(used + 8);
  plan.run(3);
  expect([...(await gpu.download(target))]).toEqual([6, 7]);
  plan.destroy();
  expect(gpu.memory().used).toBe(used);
});

test('what is uploaded while recording is a constant: no later temporary takes its place', async () => {
  const target = poisoned(gpu, [2], 'f32');
  const other = poisoned(gpu, [2], 'f32');
  const plan = gpu.record(() => {
    const constant = gpu.upload([5, 6], [2]);
    scale(gpu, constant, target, 1);
    constant.destroy();
    const temporary = gpu.scratch([2], 'f32');
    scale(gpu, target, temporary, 100);
    scale(gpu, temporary, other, 1);
  });
  plan.run(3);
  expect([...(await gpu.download(target))]).toEqual([5, 6]);
  expect([...(await gpu.download(other))]).toEqual([500, 600]);
});

test('a tensor from outside that is destroyed while recording is an input still: no temporary takes its place', async () => {
  const source = gpu.upload([5, 6], [2]);
  const target = poisoned(gpu, [2], 'f32');
  const other = poisoned(gpu, [2], 'f32');
  const plan = gpu.record(() => {
    scale(gpu, source, target, 1);
    source.destroy();
    const temporary = gpu.scratch([2], 'f32');
    scale(gpu, target, temporary, 100);
    scale(gpu, temporary, other, 1);
  });
  plan.run(3);
  expect([...(await gpu.download(target))]).toEqual([5, 6]);
  expect([...(await gpu.download(other))]).toEqual([500, 600]);
});

test('writing what a recorded dispatch uses is refused: a replay would not repeat it', () => {
  const source = gpu.upload([1], [1]);
  const target = gpu.empty([1], 'f32');
  expect(() =>
    gpu.record(() => {
      scale(gpu, source, target, 1);
      gpu.write(source, [2]);
    }),
  ).toThrow(/replay repeats dispatches/);
});

test('a plan keeps the memory it names, though its tensors are destroyed', async () => {
  const source = gpu.upload([3], [1]);
  const target = poisoned(gpu, [1], 'f32');
  const plan = gpu.record(() => {
    scale(gpu, source, target, 2);
  });
  const { buffer } = source;
  const used = gpu.memory().used;
  source.destroy();
  expect(gpu.memory().used).toBe(used);
  const usurper = gpu.upload([1000], [1]);
  expect(usurper.buffer).not.toBe(buffer);
  plan.run();
  expect([...(await gpu.download(target))]).toEqual([6]);
  plan.destroy();
  expect(gpu.memory().used).toBe(used);
  expect(gpu.upload([1], [1]).buffer).toBe(buffer);
});

test('a destroyed plan refuses to run, and destroying twice is harmless', () => {
  const counter = gpu.upload(new Uint32Array(1), [1]);
  const plan = gpu.record(() => {
    increment(gpu, counter);
  });
  plan.destroy();
  plan.destroy();
  expect(() => {
    plan.run();
  }).toThrow(/destroyed plan/);
});

test('a body that throws leaves nothing behind', async () => {
  const counter = gpu.upload(new Uint32Array(1), [1]);
  const used = gpu.memory().used;
  expect(() =>
    gpu.record(() => {
      const temporary = gpu.scratch([100], 'u32');
      increment(gpu, counter);
      increment(gpu, temporary);
      throw new Error('stop');
    }),
  ).toThrow('stop');
  expect(gpu.memory().used).toBe(used);
  increment(gpu, counter);
  expect([...(await gpu.downloadInts(counter))]).toEqual([1]);
});

test('what a plan cannot hold is refused while recording', async () => {
  const counter = gpu.upload(new Uint32Array(1), [1]);
  const plan = gpu.record(() => {
    increment(gpu, counter);
  });
  const inside = (body: () => void): (() => void) => {
    return () => void gpu.record(body);
  };
  expect(inside(() => gpu.record(() => undefined))).toThrow(/record/);
  expect(
    inside(() => {
      plan.run();
    }),
  ).toThrow(/inside record/);
  expect(
    inside(() => {
      gpu.copy(counter, gpu.empty([1], 'u32'));
    }),
  ).toThrow(/copies/);
  let downloading: Promise<unknown> | undefined;
  gpu.record(() => {
    downloading = gpu.downloadInts(counter);
  });
  await expect(downloading).rejects.toBeInstanceOf(ArgumentError);
});

test('a plan of nothing runs', async () => {
  gpu.record(() => undefined).run();
  await gpu.idle();
});
