/**
 * Firefox's shader compiler (naga) over every shader that a file's tests have linked: WGSL in, checked, and written for
 * each of the three systems below WebGPU. What only Chrome's compiler takes fails the file.
 *
 * naga-wasm lives in tests/oracles; without it `npm test` names these comparisons as not run.
 */
import { afterAll, expect } from 'vitest';
import { linkedShaders } from '$gpu/device/shaders';
import { missingPackage, oracle } from './oracles';

interface Parsed {
  free(): void;
}
type Writer = (module: Parsed, info: Parsed) => unknown;
interface Naga {
  readonly parseWgsl: (source: string) => Parsed;
  readonly validate: (module: Parsed) => Parsed;
  readonly writeHlsl: Writer;
  readonly writeMsl: Writer;
  readonly writeSpirv: Writer;
}

/** Rooms with kernels of ours; tests link others, some of them broken on purpose. */
const ROOMS = /^(attention|device|generate|ops|quant)\//;

afterAll(async () => {
  if (missingPackage('naga-wasm')) return;
  const naga = await oracle<Naga>('naga-wasm');
  const ours = linkedShaders().filter(({ module }) => ROOMS.test(module));
  const refused = ours.flatMap(({ label, code }) => {
    const why = complaint(naga, code);
    return why ? [`${label}: ${why}`] : [];
  });
  expect(refused, 'shaders that naga refuses').toEqual([]);
});

function complaint(naga: Naga, code: string): string | undefined {
  try {
    const module = naga.parseWgsl(knownToNaga(code));
    const info = naga.validate(module);
    for (const write of [naga.writeHlsl, naga.writeMsl, naga.writeSpirv]) write(module, info);
    info.free();
    module.free();
    return undefined;
  } catch (error) {
    // Its own words for people are in `formatted`.
    return String((error as { formatted?: string }).formatted ?? error);
  }
}

/** naga has subgroups, and does not know yet that they are enabled by name. */
function knownToNaga(code: string): string {
  return code.replace(/^enable ([^;]*);/gm, (_, names: string) => {
    const others = names.split(',').filter((name) => name.trim() !== 'subgroups');
    return others.length > 0 ? `enable ${others.join(',')};` : '';
  });
}
