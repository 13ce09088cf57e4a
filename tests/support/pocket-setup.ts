/** Before the first test: the pocket model, made where it is missing or stale. */
import { ensurePocket } from '../../scripts/pocket.js';

export default async function setup(): Promise<void> {
  await ensurePocket();
}
