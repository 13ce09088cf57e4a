/** By what an export is known, without reading it whole. */
export const FORMAT = 'fireside-conversations';

/** Letters within which it says so. */
const HEAD = 500;

/** Whether a file means to be an export, whole or broken. */
export async function isExport(file: Blob): Promise<boolean> {
  return (await file.slice(0, HEAD).text()).includes(`"${FORMAT}"`);
}
