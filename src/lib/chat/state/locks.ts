let found: Promise<LockManager | undefined> | undefined;

/** Web Locks; undefined where there are none: at addresses that browsers do not trust, and in frames that may keep nothing. */
export function webLocks(): Promise<LockManager | undefined> {
  return (found ??= find());
}

async function find(): Promise<LockManager | undefined> {
  const manager: LockManager | undefined = navigator.locks;
  try {
    await manager?.query();
    return manager;
  } catch {
    return undefined;
  }
}
