import type { PageLoad } from './$types';
import { readPocket } from './pocket';

export const load: PageLoad = async ({ fetch }) => ({ pocket: await readPocket(fetch) });
