/**
 * `npm run build`: whatever of the app, the library and the command line is older than its sources.
 */
import { buildApp, buildCli, buildLibrary } from './builds.js';
import { ensurePackages, runPackage } from './packages.js';

const failure = ensurePackages();
if (failure) console.error(failure);
process.exitCode = failure ? 1 : (await buildApp()) || buildLibrary() || buildCli() || runPackage('publint', []);
