/** Turning the rows of a grid into tests. */
import { it } from 'vitest';
import { large } from '../gpu';

/**
 * A covering array has a test for each row. The full product has too many rows for that: there, rows that agree in
 * `group` are one test, which runs them all and names those that failed.
 */
export function testEachRow<R>(
  rows: readonly R[],
  { title, group }: { title: (row: R) => string; group: (row: R) => string },
  body: (row: R) => Promise<void>,
): void {
  if (!large) {
    for (const row of rows) it(title(row), () => body(row));
    return;
  }
  for (const name of new Set(rows.map(group))) {
    const members = rows.filter((row) => group(row) === name);
    it(`${name}: ${members.length} combinations`, { timeout: members.length * 60_000 }, async () => {
      const failures: string[] = [];
      for (const row of members) {
        await body(row).catch((error: unknown) => failures.push(`${title(row)}: ${messageOf(error)}`));
      }
      if (failures.length > 0) throw new Error(`${failures.length} failed\n${failures.join('\n')}`);
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
