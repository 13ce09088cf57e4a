/**
 * The one-way doors of the house: which room may import which. The table is the specification; the rule below only
 * reads it. A room that the table does not name (tests, scripts, config files) may import anything.
 *
 * Resolution is lexical, from the specifier's text alone, so that a door is shut even to a file that does not exist.
 */
import { posix, relative, sep } from 'node:path';

/** @import { Rule } from 'eslint' */

/**
 * @typedef {object} Door
 * @property {readonly string[]} rooms the rooms this row speaks for: path prefixes from the repository's root
 * @property {readonly string[]} may prefixes of ours that these rooms may import, besides themselves
 * @property {readonly string[]} [mayTypes] prefixes they may name with `import type` alone
 * @property {readonly string[]} [packages] if given, the only npm packages these rooms may import
 */

const SHADER_ROOMS = ['gpu/attention/', 'gpu/ops/', 'gpu/quant/'];
const SHADER_MODULES = SHADER_ROOMS.map((room) => `${room}shaders.ts`);
/** The page's ways to an engine: its own worker's, and a server's. */
const CLIENT = ['src/lib/engine/client.ts', 'src/lib/engine/protocol.ts', 'src/lib/engine/remote.ts'];

/** @type {readonly Door[]} */
export const DOORS = [
  { rooms: ['gpu/formats/'], may: [], packages: [] },
  { rooms: ['gpu/device/'], may: ['gpu/formats/'], packages: ['wesl', 'webgpu'] },
  // Rooms with shaders may import one another's shader modules: one dequantiser serves products and attention.
  { rooms: ['gpu/attention/', 'gpu/quant/'], may: ['gpu/formats/', 'gpu/device/', ...SHADER_MODULES], packages: [] },
  // A product is of a matrix, and how that lies in memory is gpu/quant's knowledge.
  { rooms: ['gpu/ops/'], may: ['gpu/formats/', 'gpu/device/', 'gpu/quant/', ...SHADER_MODULES], packages: [] },
  { rooms: ['gpu/model/'], may: ['gpu/formats/', 'gpu/device/', ...SHADER_ROOMS], packages: [] },
  { rooms: ['gpu/generate/'], may: ['gpu/formats/', 'gpu/device/', ...SHADER_ROOMS, 'gpu/model/'], packages: [] },
  { rooms: ['gpu/'], may: [], packages: [] },
  {
    rooms: ['src/lib/weights/', 'src/lib/text/', 'src/lib/store/'],
    may: ['src/lib/weights/', 'src/lib/text/', 'src/lib/store/', 'gpu/formats/'],
    mayTypes: ['gpu/'],
  },
  { rooms: ['src/lib/catalog/'], may: ['src/lib/weights/', 'src/lib/store/', 'gpu/formats/'] },
  {
    rooms: ['src/lib/engine/'],
    may: ['gpu/', 'src/lib/weights/', 'src/lib/text/', 'src/lib/store/', 'src/lib/catalog/'],
  },
  { rooms: ['src/lib/ui/'], may: [] },
  { rooms: ['src/lib/conversations/'], may: [], mayTypes: CLIENT },
  {
    // Shows the chat's conversations and the models' answers in other people's pages.
    rooms: ['src/lib/widget/'],
    may: [
      ...CLIENT,
      ...['conversations', 'store', 'catalog', 'chat', 'models', 'ui'].map((room) => `src/lib/${room}/`),
    ],
  },
  {
    // The chat shows the models that there are.
    rooms: ['src/lib/chat/'],
    may: [...CLIENT, ...['conversations', 'store', 'catalog', 'models', 'ui'].map((room) => `src/lib/${room}/`)],
  },
  {
    rooms: ['src/lib/models/'],
    may: [...CLIENT, 'src/lib/conversations/', 'src/lib/store/', 'src/lib/catalog/', 'src/lib/ui/'],
  },
  {
    rooms: ['src/cli/'],
    // What serves the app serves it beside the models too.
    may: [
      'src/lib/engine/',
      'src/lib/weights/',
      'src/lib/text/',
      'src/lib/store/',
      'src/lib/catalog/',
      'gpu/',
      'scripts/serve.js',
    ],
  },
  {
    rooms: ['src/'],
    may: [
      ...['weights', 'text', 'store', 'catalog', 'conversations', 'chat', 'models', 'widget', 'ui'].map(
        (room) => `src/lib/${room}/`,
      ),
      ...CLIENT,
      'src/lib/engine/handle.ts',
    ],
  },
];

/**
 * Why `file` may not import `specifier`, or undefined where it may.
 *
 * @param {string} file path from the repository's root, with forward slashes
 * @param {string} specifier as written in the import
 * @param {boolean} typeOnly
 * @returns {string | undefined}
 */
export function closedDoor(file, specifier, typeOnly = false) {
  const door = DOORS.find(({ rooms }) => rooms.some((room) => file.startsWith(room)));
  if (!door) return undefined;
  const room = /** @type {string} */ (door.rooms.find((name) => file.startsWith(name)));
  const target = resolveLexically(file, specifier);
  if (target === undefined) return closedPackage(door, room, specifier);
  if (insideRoom(room, target)) return undefined;
  const open = typeOnly ? [...door.may, ...(door.mayTypes ?? [])] : door.may;
  if (open.some((prefix) => within(target, prefix))) return undefined;
  return `${room} may not import ${target}; it may import ${open.join(', ') || 'nothing of ours'}.`;
}

/**
 * The last rows speak for whatever lies in `gpu/` or `src/` outside the rooms above, such as `gpu/index.ts` and the
 * routes: for them `gpu/` is open whole, and of `src/` all that is in no other room.
 *
 * @param {string} room
 * @param {string} target
 */
function insideRoom(room, target) {
  if (!within(target, room)) return false;
  return (
    room !== 'src/' || !DOORS.some(({ rooms }) => rooms.some((other) => other !== 'src/' && within(target, other)))
  );
}

/**
 * @param {Door} door
 * @param {string} room
 * @param {string} specifier
 */
function closedPackage(door, room, specifier) {
  if (!door.packages || door.packages.includes(specifier)) return undefined;
  return `${room} may not import the package ${specifier}; it may import ${door.packages.join(', ') || 'no package'}.`;
}

/**
 * @param {string} target
 * @param {string} prefix a folder with its slash, or a file with its extension, which imports leave away
 */
function within(target, prefix) {
  return `${target}/`.startsWith(prefix) || target === prefix || `${target}.ts` === prefix;
}

/**
 * @param {string} file
 * @param {string} specifier
 * @returns {string | undefined} path from the root; undefined for a package
 */
function resolveLexically(file, specifier) {
  const path = specifier.replace(/\?.*$/, '');
  if (/^\.\.?(\/|$)/.test(path)) return posix.normalize(posix.join(posix.dirname(file), path)).replace(/\/$/, '');
  const alias = /^\$(lib|gpu)(\/.*)?$/.exec(path);
  if (alias) return posix.normalize((alias[1] === 'lib' ? 'src/lib' : 'gpu') + (alias[2] ?? ''));
  return path.startsWith('/') ? path.slice(1) : undefined;
}

/**
 * As much of a syntax tree's node as the rule looks at; TypeScript's and Svelte's parsers add kinds that ESLint's own
 * types do not know.
 *
 * @typedef {object} Node
 * @property {string} type
 * @property {unknown} [value]
 * @property {string} [name]
 * @property {Node | null | undefined} [source]
 * @property {Node} [callee]
 * @property {Node[]} [arguments]
 * @property {Node} [object]
 * @property {Node} [property]
 * @property {Node[]} [specifiers]
 * @property {string} [importKind]
 * @property {string} [exportKind]
 */

/** @type {Rule.RuleModule} */
const rule = {
  meta: { type: 'problem', docs: { description: 'Keep the one-way doors between the rooms of the house' }, schema: [] },
  create(context) {
    const file = relative(context.cwd, context.physicalFilename).split(sep).join('/');

    /** @param {Node | null | undefined} source @param {boolean} [typeOnly] */
    const check = (source, typeOnly = false) => {
      if (typeof source?.value !== 'string') return;
      const message = closedDoor(file, source.value, typeOnly);
      if (message) context.report({ node: /** @type {Rule.Node} */ (source), message });
    };
    /** @param {Node} node */
    const checkDeclaration = (node) => check(node.source, namesTypesOnly(node));

    return {
      ImportDeclaration: checkDeclaration,
      ExportNamedDeclaration: checkDeclaration,
      ExportAllDeclaration: checkDeclaration,
      ImportExpression: (/** @type {Node} */ node) => check(node.source),
      TSImportType: (/** @type {Node} */ node) => check(node.source, true),
      CallExpression: (/** @type {Node} */ node) => {
        if (isImportMeta(node.callee, 'glob')) node.arguments?.forEach((argument) => check(argument));
      },
      // new URL('./worker.ts', import.meta.url) is how a bundler is told of a worker.
      NewExpression: (/** @type {Node} */ node) => {
        if (node.callee?.name === 'URL' && isImportMeta(node.arguments?.[1], 'url')) check(node.arguments?.[0]);
      },
    };
  },
};

/** @param {Node} node an import or export declaration */
function namesTypesOnly(node) {
  if (node.importKind === 'type' || node.exportKind === 'type') return true;
  const names = node.specifiers ?? [];
  return names.length > 0 && names.every((name) => (name.importKind ?? name.exportKind) === 'type');
}

/** @param {Node | undefined} node @param {string} property */
function isImportMeta(node, property) {
  return node?.object?.type === 'MetaProperty' && node.property?.name === property;
}

export default { meta: { name: 'fireside' }, rules: { doors: rule } };
