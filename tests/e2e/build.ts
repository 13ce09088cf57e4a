/** Before the first end-to-end test: the app, built where it is stale. */
import { buildApp } from '../../scripts/builds.js';

export default async function setup(): Promise<void> {
  if ((await buildApp()) !== 0) throw new Error('the app could not be built');
}
