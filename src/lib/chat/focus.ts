/** Where one writes takes the focus: after a button that is gone, and when somebody wants to write. */
export function focusComposer(): void {
  document.querySelector<HTMLElement>('[data-composer]')?.focus();
}
