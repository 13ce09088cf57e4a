/** Parts of the device's room that need no GPU. */
import { describe, expect, test, vi } from 'vitest';
import { ArgumentError, GpuError, ParamWriter, SelfTestError, formatProfile, type ProfileRow } from '$gpu/device';
import type { Allocation } from '$gpu/device/arena';
import { Guards } from '$gpu/device/guards';
import { needsNudge, nudged } from '$gpu/device/mapping';
import { Tensor } from '$gpu/device/tensor';
import { TensorWriter } from '$gpu/device/writer';
import { DEFAULT_LIMITS } from '$gpu/device/limits';

describe('params', () => {
  test('fields follow each other, and the whole is padded as a uniform struct is', () => {
    const { bytes } = new ParamWriter().u32(7).f32(0.5).i32(-2).u32(1).u32(9).done();
    expect(bytes.length).toBe(32);
    const view = new DataView(bytes.buffer);
    expect([view.getUint32(0, true), view.getFloat32(4, true), view.getInt32(8, true)]).toEqual([7, 0.5, -2]);
    expect(view.getUint32(16, true)).toBe(9);
  });

  test('a number that its field cannot hold is refused', () => {
    expect(() => new ParamWriter().u32(-1)).toThrow(ArgumentError);
    expect(() => new ParamWriter().u32(1.5)).toThrow(ArgumentError);
    expect(() => new ParamWriter().u32(2 ** 32)).toThrow(ArgumentError);
    expect(() => new ParamWriter().i32(2 ** 31)).toThrow(ArgumentError);
    expect(() => new ParamWriter().u32(NaN)).toThrow(ArgumentError);
  });

  test('more than 256 bytes are refused', () => {
    const writer = new ParamWriter();
    for (let i = 0; i < 64; i++) writer.u32(i);
    expect(writer.done().bytes.length).toBe(256);
    expect(() => writer.u32(64)).toThrow(ArgumentError);
  });
});

describe('a tensor written in chunks', () => {
  const home = { limits: DEFAULT_LIMITS, releaseTensor: () => undefined };
  const tensor = new Tensor(home, { capacity: 256 } as Allocation, 'u8', [23], 0);

  /** Pushes 0, 1, 2, … 22 in chunks of these lengths; returns the writes that came out. */
  function writes(lengths: readonly number[]): { at: number; bytes: number[] }[] {
    const seen: { at: number; bytes: number[] }[] = [];
    const writer = new TensorWriter(tensor, (_, bytes, at) => seen.push({ at, bytes: [...bytes] }));
    let next = 0;
    for (const length of lengths) {
      writer.push(Uint8Array.from({ length }, () => next++));
      expect(writer.received).toBe(next);
    }
    writer.finish();
    return seen;
  }

  test.each([[[23]], [[1, 1, 1, 1, 19]], [[3, 3, 17]], [[5, 0, 2, 16]], [[20, 1, 1, 1]], [Array<number>(23).fill(1)]])(
    'whatever the chunks (%j), writes are multiples of 4 at multiples of 4, and nothing is lost',
    (lengths) => {
      const seen = writes(lengths);
      expect(seen.flatMap(({ bytes }) => bytes)).toEqual(Array.from({ length: 23 }, (_, i) => i));
      seen.forEach(({ at, bytes }, index) => {
        expect(at % 4).toBe(0);
        if (index < seen.length - 1) expect(bytes.length % 4).toBe(0);
      });
    },
  );

  test('too much, or too little at the end, is an error', () => {
    const writer = new TensorWriter(tensor, () => undefined);
    writer.push(new Uint8Array(20));
    expect(() => {
      writer.finish();
    }).toThrow(ArgumentError);
    expect(() => {
      writer.push(new Uint8Array(4));
    }).toThrow(ArgumentError);
  });
});

describe('guards', () => {
  test('nothing passes before the checks have, and a failed one stays until it is taken note of', async () => {
    const heard: GpuError[] = [];
    const guards = new Guards((error) => heard.push(error));
    let fail!: (error: Error) => void;
    guards.add(new Promise<void>((_, reject) => (fail = reject)));
    let passed = false;
    const passing = guards.passed().then(
      () => (passed = true),
      () => undefined,
    );
    await Promise.resolve();
    expect(passed).toBe(false);
    fail(new SelfTestError('wrong answer'));
    await passing;
    expect(passed).toBe(false);
    expect(heard).toHaveLength(1);
    await expect(guards.passed()).rejects.toBeInstanceOf(SelfTestError);
    expect(guards.take()).toHaveLength(1);
    await expect(guards.passed()).resolves.toBeUndefined();
  });

  test('a guard added while others are awaited is awaited too', async () => {
    const guards = new Guards(() => undefined);
    guards.add(
      Promise.resolve().then(() => {
        guards.add(Promise.reject(new Error('late')));
      }),
    );
    await expect(guards.passed()).rejects.toBeInstanceOf(GpuError);
  });
});

describe('waiting for a map', () => {
  /** A device that counts submits. */
  function fakeDevice(): { device: GPUDevice; submit: ReturnType<typeof vi.fn> } {
    const submit = vi.fn();
    const createCommandEncoder = (): unknown => ({ finish: () => ({}) });
    return { device: { queue: { submit }, createCommandEncoder } as unknown as GPUDevice, submit };
  }

  const later = (ms: number): Promise<string> => new Promise((resolve) => setTimeout(resolve, ms, 'mapped'));

  test('Firefox alone is pushed', () => {
    expect(needsNudge('Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0')).toBe(true);
    expect(needsNudge('Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/143.0.0.0 Safari/537.36')).toBe(false);
    expect(needsNudge('Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/26.0 Safari/605.1.15')).toBe(false);
    expect(needsNudge(undefined)).toBe(false);
  });

  test('where it is needed, empty submits push the queue until the map is there, a millisecond apart', async () => {
    const { device, submit } = fakeDevice();
    // A clock of our own, since the machine's may stop for longer than a millisecond between two lines.
    let clock = 0;
    const now = vi.spyOn(performance, 'now').mockImplementation(() => (clock += 0.2));
    const times: number[] = [];
    const map = new Promise((resolve) => {
      submit.mockImplementation(() => {
        times.push(clock);
        if (times.length === 5) resolve('mapped');
      });
    });
    expect(await nudged(device, map, true)).toBe('mapped');
    now.mockRestore();
    await later(10);
    expect(times).toHaveLength(5);
    const gaps = times.slice(1).map((time, index) => time - times[index]!);
    expect(Math.min(...gaps)).toBeGreaterThan(0.99);
    expect(Math.max(...gaps)).toBeLessThan(2);
  });

  test('elsewhere, nothing is submitted', async () => {
    const { device, submit } = fakeDevice();
    expect(await nudged(device, later(5), false)).toBe('mapped');
    expect(submit).not.toHaveBeenCalled();
  });

  test('a map that fails ends the pushing and rejects', async () => {
    const { device, submit } = fakeDevice();
    await expect(nudged(device, Promise.reject(new Error('lost')), true)).rejects.toThrow('lost');
    await later(5);
    expect(submit.mock.calls.length).toBeLessThan(2);
  });
});

test('a profile is a table: one line a label, the costliest first, shares that add up', () => {
  const row = (index: number, label: string, time: number): ProfileRow => ({
    index,
    label,
    workgroups: [1, 1, 1],
    median: time,
    least: time,
    mean: time,
    share: time / 10,
    clock: 'gpu',
  });
  const rows = [row(0, 'norm', 1), row(1, 'matmul', 3), row(2, 'norm', 1), row(3, 'matmul', 5)];
  expect(formatProfile(rows)).toBe(
    [
      'dispatch  calls     ms  ms/call   share',
      'matmul        2  8.000    4.000  80.0 %',
      'norm          2  2.000    1.000  20.0 %',
      '4 dispatches, 10.000 ms by GPU timestamps',
    ].join('\n'),
  );
});
