/** The tree of messages: branches, and what is left when one is taken away. */
import { expect, test } from 'vitest';
import { below, childrenOf, latestLeaf, leafWithout, pathTo } from '$lib/conversations/tree';
import { byId, messagesFrom } from './made';

// q1 has two answers; the first goes on with q2, which was edited into q2b.
const MESSAGES = byId(messagesFrom('q1', 'a1 q1', 'q2 a1', 'a2 q2', 'a1b q1', 'q2b a1', 'a2b q2b'));

function ids(messages: readonly { id: string }[] | undefined): string[] {
  return (messages ?? []).map(({ id }) => id);
}

test('a path leads from the first message to a leaf', () => {
  expect(ids(pathTo(MESSAGES, 'a2'))).toEqual(['q1', 'a1', 'q2', 'a2']);
  expect(pathTo(MESSAGES, null)).toEqual([]);
  expect(pathTo(MESSAGES, 'nobody')).toEqual([]);
});

test('siblings are in the order in which they were written', () => {
  expect(ids(childrenOf(MESSAGES).get('q1'))).toEqual(['a1', 'a1b']);
  expect(ids(childrenOf(MESSAGES).get(null))).toEqual(['q1']);
});

test('switching to a branch leads to its latest end', () => {
  expect(latestLeaf(MESSAGES, 'a1')).toBe('a2b');
  expect(latestLeaf(MESSAGES, 'q2')).toBe('a2');
  expect(latestLeaf(MESSAGES, 'a1b')).toBe('a1b');
});

test('taking a message away takes what is below, and the view goes to the sibling before, or after, or up', () => {
  expect(ids(below(MESSAGES, 'a1')).sort()).toEqual(['a1', 'a2', 'a2b', 'q2', 'q2b']);
  expect(leafWithout(MESSAGES, 'q2b')).toBe('a2');
  expect(leafWithout(MESSAGES, 'a1')).toBe('a1b');
  expect(leafWithout(MESSAGES, 'a2')).toBe('q2');
  expect(leafWithout(MESSAGES, 'q1')).toBe(null);
});
