/** Colours code, with highlight.js: a language is fetched when there is code in it. */
import type { HLJSApi, LanguageFn } from 'highlight.js';

/** Letters; more than this is left in one colour, so that nothing waits for it. */
const LONGEST = 40_000;

type Load = () => Promise<{ default: LanguageFn }>;

const LANGUAGES: Readonly<Record<string, Load>> = {
  bash: () => import('highlight.js/lib/languages/bash'),
  c: () => import('highlight.js/lib/languages/c'),
  cpp: () => import('highlight.js/lib/languages/cpp'),
  csharp: () => import('highlight.js/lib/languages/csharp'),
  css: () => import('highlight.js/lib/languages/css'),
  diff: () => import('highlight.js/lib/languages/diff'),
  dockerfile: () => import('highlight.js/lib/languages/dockerfile'),
  go: () => import('highlight.js/lib/languages/go'),
  haskell: () => import('highlight.js/lib/languages/haskell'),
  ini: () => import('highlight.js/lib/languages/ini'),
  java: () => import('highlight.js/lib/languages/java'),
  javascript: () => import('highlight.js/lib/languages/javascript'),
  json: () => import('highlight.js/lib/languages/json'),
  kotlin: () => import('highlight.js/lib/languages/kotlin'),
  latex: () => import('highlight.js/lib/languages/latex'),
  lua: () => import('highlight.js/lib/languages/lua'),
  makefile: () => import('highlight.js/lib/languages/makefile'),
  markdown: () => import('highlight.js/lib/languages/markdown'),
  perl: () => import('highlight.js/lib/languages/perl'),
  php: () => import('highlight.js/lib/languages/php'),
  python: () => import('highlight.js/lib/languages/python'),
  r: () => import('highlight.js/lib/languages/r'),
  ruby: () => import('highlight.js/lib/languages/ruby'),
  rust: () => import('highlight.js/lib/languages/rust'),
  sql: () => import('highlight.js/lib/languages/sql'),
  swift: () => import('highlight.js/lib/languages/swift'),
  typescript: () => import('highlight.js/lib/languages/typescript'),
  xml: () => import('highlight.js/lib/languages/xml'),
  yaml: () => import('highlight.js/lib/languages/yaml'),
};

/** Other names that models write after the fence. */
const ALIASES: Readonly<Record<string, string>> = {
  ...{ sh: 'bash', shell: 'bash', zsh: 'bash', console: 'bash', 'c++': 'cpp', h: 'c', hpp: 'cpp', cs: 'csharp' },
  ...{ 'c#': 'csharp', docker: 'dockerfile', golang: 'go', hs: 'haskell', toml: 'ini', js: 'javascript' },
  ...{ jsx: 'javascript', mjs: 'javascript', kt: 'kotlin', tex: 'latex', make: 'makefile', md: 'markdown' },
  ...{ pl: 'perl', py: 'python', python3: 'python', rb: 'ruby', rs: 'rust', ts: 'typescript', tsx: 'typescript' },
  ...{ html: 'xml', svg: 'xml', vue: 'xml', svelte: 'xml', yml: 'yaml', jsonc: 'json', patch: 'diff' },
};

/** HTML of coloured code; undefined where the language is not known or the code too long. */
export async function highlight(code: string, name: string): Promise<string | undefined> {
  const wanted = name.toLowerCase();
  const language = Object.hasOwn(ALIASES, wanted) ? ALIASES[wanted]! : wanted;
  if (code.length > LONGEST || !Object.hasOwn(LANGUAGES, language)) return undefined;
  const [{ default: hljs }, { default: grammar }] = await Promise.all([
    import('highlight.js/lib/core') as Promise<{ default: HLJSApi }>,
    LANGUAGES[language]!(),
  ]);
  if (!hljs.getLanguage(language)) hljs.registerLanguage(language, grammar);
  await idle();
  return hljs.highlight(code, { language, ignoreIllegals: true }).value;
}

/** Until the page has nothing better to do. */
function idle(): Promise<void> {
  return new Promise((done) => {
    if ('requestIdleCallback' in globalThis) requestIdleCallback(() => done(), { timeout: 1000 });
    else setTimeout(done);
  });
}
