/** Who is writing an answer: a lock by its id tells other tabs that it is still coming, until its tab goes away. */
import { webLocks } from './locks';

function nameOf(id: string): string {
  return `fireside-answer-${id}`;
}

/** Writes an answer under its lock. */
export async function writing(id: string, write: () => Promise<void>): Promise<void> {
  const manager = await webLocks();
  await (manager ? manager.request(nameOf(id), write) : write());
}

/** Whether another tab is writing this answer; `done` is called when it no longer does. */
export async function isWrittenElsewhere(id: string, done: () => void): Promise<boolean> {
  const manager = await webLocks();
  if (!manager) return false;
  const { held = [] } = await manager.query();
  if (!held.some(({ name }) => name === nameOf(id))) return false;
  void manager.request(nameOf(id), { mode: 'shared' }, done);
  return true;
}
