/** Draws formulas with KaTeX, which is fetched with the first one. */

/** TeX comes from a model: it may run no commands, define few macros and draw nothing huge. */
const OPTIONS = { trust: false, strict: 'ignore', throwOnError: false, maxExpand: 300, maxSize: 20 } as const;

/** Puts formulas in the place of their TeX (formulas.ts); the TeX stays for those who copy or hear it. */
export async function drawFormulas(elements: readonly HTMLElement[]): Promise<void> {
  const [{ default: katex }] = await Promise.all([import('katex'), import('katex/dist/katex.min.css')]);
  for (const element of elements) {
    if (!element.isConnected || element.dataset.drawn) continue;
    element.dataset.drawn = 'true';
    katex.render(element.textContent, element, { ...OPTIONS, displayMode: element.classList.contains('display') });
  }
}
