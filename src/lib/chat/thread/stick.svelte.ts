/**
 * Keeps the page at its end while an answer grows, but only for somebody who is there.
 *
 * Who scrolls up, by however little, is let go at once; who comes back to the end is kept there again. The page is moved
 * when it has a new size, which the browser tells after layout and before it paints: so there is no timer, no
 * frame in between, and no difference whether words, figures or a picture made it grow.
 */
export class Stick {
  /** The page is kept at its end. */
  held = $state(true);
  #last = 0;

  /** Pixels from the end that count as being there for somebody who scrolls down. */
  static readonly NEAR = 48;

  /** For `{@attach}`, on the thread: what stands below it makes the page grow too, so all of the page is watched. */
  readonly attach = (element: HTMLElement): (() => void) => {
    const grown = new ResizeObserver(() => {
      if (this.held) this.toEnd();
    });
    grown.observe(document.body);
    addEventListener('scroll', this.#scrolled, { passive: true });
    element.addEventListener('click', this.#unfolded);
    return () => {
      grown.disconnect();
      removeEventListener('scroll', this.#scrolled);
      element.removeEventListener('click', this.#unfolded);
    };
  };

  toEnd(): void {
    this.held = true;
    const page = document.scrollingElement;
    if (!page) return;
    page.scrollTop = page.scrollHeight;
    this.#last = page.scrollTop;
  }

  /** Who unfolds or edits something wants to see that, and not what it pushes down. */
  readonly #unfolded = ({ target }: Event): void => {
    if (target instanceof Element && target.closest('summary, [data-edit]')) this.held = false;
  };

  readonly #scrolled = (): void => {
    const page = document.scrollingElement;
    if (!page) return;
    const left = page.scrollHeight - page.clientHeight - page.scrollTop;
    // A page that became shorter moves up too, and is at its end then.
    if (page.scrollTop < this.#last) this.held = left < 2;
    else if (left < Stick.NEAR) this.held = true;
    this.#last = page.scrollTop;
  };
}
