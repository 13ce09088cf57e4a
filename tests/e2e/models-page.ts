/** The page of models as a person meets it, and a hub of this machine for it. */
import { readFileSync } from 'node:fs';
import type { Locator, Page } from 'playwright';
import { ensurePocket } from '../../scripts/pocket.js';
import { memoryContent } from '../hub/content.js';
import { startHub, type Hub } from '../hub/hub.js';

/** A weighty file of another name, and what the catalogue would look for on a device without a GPU. */
export const FILE = 'small-q8_0.gguf';
export const RECOMMENDED = 'HuggingFaceTB/SmolLM2-135M-Instruct-GGUF';

/** The pocket model under other names. */
export async function pocketHub(): Promise<Hub> {
  const pocket = memoryContent(readFileSync((await ensurePocket()).path));
  const repos = {
    'me/small': { files: { [FILE]: pocket } },
    [RECOMMENDED]: { files: { 'smollm2-135m-instruct-q8_0.gguf': pocket } },
  };
  return startHub({ repos, host: 'localhost' });
}

export class ModelsPage {
  readonly page: Page;
  readonly address: Locator;

  constructor(page: Page) {
    this.page = page;
    this.address = page.getByLabel('Name or link of a model');
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  chat(name: string): Locator {
    return this.page.getByRole('region', { name: 'On this device' }).getByRole('link', { name: `Chat with ${name}` });
  }

  get progress(): Locator {
    return this.page.getByRole('progressbar');
  }

  async useHub({ url }: Hub): Promise<void> {
    // Before the store was read there is nobody to save it.
    await this.page.getByText('No models yet').waitFor();
    const form = this.page.getByRole('region', { name: 'Hub' });
    await form.getByLabel('Address', { exact: true }).fill(url);
    await form.getByRole('button', { name: 'Save' }).click();
    await this.page.getByText('Saved.').waitFor();
  }

  async look(address: string): Promise<void> {
    await this.address.fill(address);
    await this.button('Look').click();
  }

  /** Lets go of a file over the page. */
  async drop(name: string, content: string): Promise<void> {
    await dropOn(this.page, name, content);
  }
}

export async function dropOn(page: Page, name: string, content: string): Promise<void> {
  await page.evaluate(
    ([called, text]) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([text!], called!));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    },
    [name, content],
  );
}
