/** The tree that a conversation's messages make: pure functions of messages by id. */
import type { Message } from './records';

/** What a place in the tree is known by. */
export type Placed = Pick<Message, 'id' | 'parent' | 'created'>;

type Tree<T extends Placed> = ReadonlyMap<string, T>;

/** From the first message to `leaf`; empty where that is null or unknown. */
export function pathTo<T extends Placed>(messages: Tree<T>, leaf: string | null): T[] {
  const path: T[] = [];
  for (let at = leaf; at !== null;) {
    const message = messages.get(at);
    if (!message) break;
    path.push(message);
    at = message.parent;
  }
  return path.reverse();
}

/** Messages by their parent, each list oldest first. */
export function childrenOf<T extends Placed>(messages: Tree<T>): Map<string | null, T[]> {
  const children = new Map<string | null, T[]>();
  for (const message of messages.values()) {
    const list = children.get(message.parent);
    if (list) list.push(message);
    else children.set(message.parent, [message]);
  }
  for (const list of children.values()) list.sort(byAge);
  return children;
}

/** The end of the branch below `id` that was written last; `id` itself where nothing is below. */
export function latestLeaf(messages: Tree<Placed>, id: string): string {
  const children = childrenOf(messages);
  let leaf = id;
  for (let list = children.get(leaf); list; list = children.get(leaf)) leaf = list.at(-1)!.id;
  return leaf;
}

/** `id` and all that is below it. */
export function below<T extends Placed>(messages: Tree<T>, id: string): T[] {
  const children = childrenOf(messages);
  const found: T[] = [];
  const open = [messages.get(id)];
  for (let message = open.pop(); message; message = open.pop()) {
    found.push(message);
    open.push(...(children.get(message.id) ?? []));
  }
  return found;
}

/** Where the view goes when `id` and what is below it are taken away: to a sibling's branch, else to the parent. */
export function leafWithout(messages: Tree<Placed>, id: string): string | null {
  const gone = messages.get(id);
  if (!gone) return null;
  const siblings = (childrenOf(messages).get(gone.parent) ?? []).filter((message) => message.id !== id);
  const next = siblings.findLast((message) => byAge(message, gone) < 0) ?? siblings[0];
  return next ? latestLeaf(messages, next.id) : gone.parent;
}

function byAge(a: Placed, b: Placed): number {
  return a.created - b.created || (a.id < b.id ? -1 : 1);
}
