import { describe, expect, it } from 'vitest';
import { withoutOurs } from '../../scripts/packages.js';

/**
 * npm hands a project's .npmrc down to its scripts as variables, and reads those before the .npmrc of the folder that
 * it then installs in. That once kept everything in tests/oracles from being installed, and its tests from being run.
 */
describe('packages of another folder', () => {
  it("are installed without the project's own settings", () => {
    expect(withoutOurs({ npm_config_engine_strict: 'true', npm_config_ignore_scripts: 'true' })).toEqual({});
  });

  it("are installed with the person's", () => {
    const theirs = { npm_config_registry: 'https://mirror.example', npm_execpath: '/npm-cli.js', PATH: '/bin' };
    expect(withoutOurs({ ...theirs, npm_config_save_exact: 'true' })).toEqual(theirs);
  });
});
