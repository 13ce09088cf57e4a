import { readPocket } from '../pocket';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch }) => ({ pocket: await readPocket(fetch) });
