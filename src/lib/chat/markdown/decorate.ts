/** What a block of HTML gets once it is in the page and final: its formulas drawn, and its code with colours and a button. */
import { mount, unmount, type Component } from 'svelte';
import { drawFormulas } from './math';

/** What CodeBlock.svelte is given. */
export interface Code {
  readonly language: string;
  readonly text: string;
  /** Nothing will be added to it. */
  readonly settled: boolean;
}

/**
 * @param CodeBlock shows code
 * @returns takes it back
 */
export function decorate(element: HTMLElement, CodeBlock: Component<Code>): () => void {
  const formulas = [...element.querySelectorAll<HTMLElement>('.formula')];
  if (formulas.length > 0) void drawFormulas(formulas);
  // Code inside of lists and quotes; code between blocks is a component from the beginning.
  const mounted = [...element.querySelectorAll('pre')].map((pre) => {
    const code = pre.querySelector('code');
    const language = /^language-(.+)$/.exec(code?.className ?? '')?.[1] ?? '';
    const target = document.createElement('div');
    pre.replaceWith(target);
    return mount(CodeBlock, { target, props: { language, text: pre.textContent.replace(/\n$/, ''), settled: true } });
  });
  return () => mounted.forEach((component) => void unmount(component));
}
