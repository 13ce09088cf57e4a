import js from '@eslint/js';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import { importX } from 'eslint-plugin-import-x';
import svelte from 'eslint-plugin-svelte';
import { defineConfig } from 'eslint/config';
import globals from 'globals';
import ts from 'typescript-eslint';
import doors from './scripts/lint/doors.js';
import svelteConfig from './svelte.config.js';

/** Node's own globals: the GPU floor and the pages must do without them, since a browser has none of these. */
const nodeOnly = ['process', 'Buffer', 'global', 'require', '__dirname', '__filename', 'setImmediate'];
/** What a worker and Node do not have. */
const pageOnly = ['window', 'document', 'localStorage', 'sessionStorage'];

export default defineConfig(
  {
    ignores: [
      '.svelte-kit/',
      'build/',
      'dist/',
      '.cache/',
      'tests/oracles/node_modules/',
      'tests/vocabularies/node_modules/',
      'tests/house/fixtures/',
      // Written as their frameworks have it, and built by their test.
      'tests/e2e/widget/hosts/',
    ],
  },
  js.configs.recommended,
  ts.configs.recommendedTypeChecked,
  svelte.configs.recommended,
  {
    languageOptions: {
      globals: { ...globals.browser, ...globals.node },
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname, extraFileExtensions: ['.svelte'] },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { 'import-x': importX, fireside: doors },
    settings: {
      'import-x/resolver-next': [
        createTypeScriptImportResolver({
          project: `${import.meta.dirname}/tsconfig.json`,
          noWarnOnMultipleProjects: true,
        }),
      ],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'], 'svelte-eslint-parser': ['.svelte'] },
      'import-x/extensions': ['.ts', '.js', '.svelte'],
    },
    rules: {
      'fireside/doors': 'error',
      'import-x/no-cycle': 'error',
      'max-lines': ['error', 400],
      eqeqeq: 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // TypeScript finds undefined names itself, and knows the types that this rule does not.
      'no-undef': 'off',
      // `async` without `await` has a use: it turns what is thrown into a rejection.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
  },
  {
    // These replace their maps and sets whole ($state.raw), so that one change is one update.
    files: ['src/lib/chat/state/**', 'src/lib/models/state/**'],
    rules: { 'svelte/prefer-svelte-reactivity': 'off' },
  },
  {
    // The types that JSDoc casts to are invisible to these rules; tsc sees them.
    files: ['**/*.js'],
    rules: { '@typescript-eslint/no-unsafe-assignment': 'off' },
  },
  {
    files: ['gpu/**', 'src/lib/**', 'src/routes/**'],
    rules: { 'no-restricted-globals': ['error', ...nodeOnly] },
  },
  {
    files: ['gpu/**', 'src/lib/{engine,weights,text,store,catalog}/**'],
    rules: { 'no-restricted-globals': ['error', ...nodeOnly, ...pageOnly] },
  },
  { files: ['src/cli/**'], rules: { 'no-restricted-globals': ['error', ...pageOnly] } },
);
