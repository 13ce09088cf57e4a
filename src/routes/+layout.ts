import { browser } from '$app/environment';
import { speak } from '$lib/ui/language.svelte';

export const prerender = true;

/** The page speaks the reader's language from its first words on. */
export const load = async (): Promise<void> => {
  if (browser) await speak();
};
