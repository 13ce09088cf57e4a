/** Files to and from the person: what the page makes is saved by the browser, what a person picks is read here. */

/** Saves a text as a file. @param name for people; what no file system takes is left out */
export function saveFile(name: string, extension: 'json' | 'md', text: string): void {
  const type = extension === 'json' ? 'application/json' : 'text/markdown';
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = `${fileName(name)}.${extension}`;
  link.click();
  URL.revokeObjectURL(address);
}

export function fileName(name: string): string {
  const plain = name
    .replace(/[\p{Cc}\\/:*?"<>|]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return (
    [...plain]
      .slice(0, 60)
      .join('')
      .replace(/^[. ]+|[. ]+$/g, '') || 'fireside'
  );
}
