import { expect, test } from 'vitest';
import { ShaderError, shaderSources } from '$gpu/device';
import { compileError, linkKey, linkShader, type LinkSpec } from '$gpu/device/shaders';

const ROOM = shaderSources('room', {
  './main.wesl': `import package::room::maths::{twice};
import constants::{WIDTH};

@group(0) @binding(0) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WIDTH)
fn main(@builtin(local_invocation_index) i: u32) {
  out[i] = twice(f32(i));
}
`,
  './maths.wesl': `
fn twice(x: f32) -> f32 {
  @if(THRICE) return x * 3.0;
  @else return x * 2.0;
}
`,
  './broken.wesl': `
fn good() -> f32 { return 1.0; }
fn bad( -> f32 { return 1.0; }
`,
  './missing.wesl': `
import package::room::maths::{twice};
fn main() {
  let x = nowhere(3.0) + twice(1.0);
}
`,
});

function spec(module: string, rest: Partial<LinkSpec> = {}): LinkSpec {
  return { label: module, module, sources: [ROOM], constants: { WIDTH: 64 }, ...rest };
}

/** The ShaderError that `link` throws. */
function errorOf(link: () => unknown): ShaderError {
  try {
    link();
  } catch (error) {
    if (error instanceof ShaderError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

test('a room’s files are named by room and path', () => {
  expect(Object.keys(ROOM)).toEqual(['room/main.wesl', 'room/maths.wesl', 'room/broken.wesl', 'room/missing.wesl']);
});

test('imports, conditions and constants end up in the linked code', () => {
  const plain = linkShader(spec('room/main'));
  expect(plain.code).toContain('x * 2.0');
  expect(plain.code).toContain('WIDTH = 64');
  expect(linkShader(spec('room/main', { conditions: { THRICE: true } })).code).toContain('x * 3.0');
  expect(linkShader(spec('room/main', { constants: { WIDTH: 32 } })).code).toContain('WIDTH = 32');
});

test('the same link is made once, whatever the order of its constants', () => {
  const one = spec('room/main', { constants: { WIDTH: 8, DEPTH: 2 } });
  const other = spec('room/main', { constants: { DEPTH: 2, WIDTH: 8 } });
  expect(linkKey(one)).toBe(linkKey(other));
  expect(linkShader(one)).toBe(linkShader(other));
  expect(linkKey(one)).not.toBe(linkKey(spec('room/main', { constants: { WIDTH: 8, DEPTH: 3 } })));
  const copy = { ...ROOM };
  expect(linkKey({ ...one, sources: [copy] })).not.toBe(linkKey(one));
});

test('modules of several rooms are linked together', () => {
  const upstairs = shaderSources('upstairs', {
    'top.wesl': 'import package::room::maths::{twice};\nfn main() -> f32 { return twice(1.0); }\n',
  });
  expect(linkShader({ label: 'top', module: 'upstairs/top', sources: [upstairs, ROOM] }).code).toContain('x * 2.0');
});

test('a syntax error names the file, line and column, and shows the line', () => {
  const error = errorOf(() => linkShader(spec('room/broken')));
  expect(error).toMatchObject({ file: 'room/broken.wesl', line: 3, source: 'fn bad( -> f32 { return 1.0; }' });
  expect(error.column).toBeGreaterThan(1);
  expect(error.message).toContain(`room/broken.wesl:3:${error.column}`);
});

test('an unknown name is placed too', () => {
  const error = errorOf(() => linkShader(spec('room/missing')));
  expect(error).toMatchObject({ file: 'room/missing.wesl', line: 4, column: 11 });
  expect(error.message).toContain('nowhere');
});

test('an unknown module is a shader error', () => {
  expect(errorOf(() => linkShader(spec('room/absent'))).message).toContain('room/absent');
});

test('a compiler’s message is placed in the file that the code came from', () => {
  const linked = linkShader(spec('room/main'));
  const offset = linked.code.indexOf('x * 2.0');
  const info = {
    messages: [
      { type: 'warning', message: 'meh', offset: 0 },
      { type: 'error', message: 'no', offset },
    ],
  };
  const error = compileError(linked, info as unknown as GPUCompilationInfo, '');
  expect(error).toMatchObject({ file: 'room/maths.wesl', line: 4, column: 16, source: '  @else return x * 2.0;' });
  expect(error.message).toMatch(/room\/maths\.wesl:4:16: no\n {2} {2}@else return x \* 2\.0;\n {2} {15}\^/);
});

test('an error without a position repeats the browser’s words, without its call stack', () => {
  const linked = linkShader(spec('room/main'));
  const none = { messages: [] } as unknown as GPUCompilationInfo;
  const error = compileError(linked, none, 'workgroup storage too large\n - While validating compute stage');
  expect(error).toMatchObject({ file: 'room/main.wesl', line: 0 });
  expect(error.message).toBe('room/main: room/main.wesl: workgroup storage too large');
});
