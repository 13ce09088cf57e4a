/** Which language the page speaks. English is there at once; another comes when it is chosen. */
import en, { type Messages } from './messages/en';

export type { Messages };

export const LANGUAGES = [
  { code: 'en', name: 'English' },
  { code: 'de', name: 'Deutsch' },
  { code: 'es', name: 'Español' },
  { code: 'fr', name: 'Français' },
  { code: 'ja', name: '日本語' },
  { code: 'zh', name: '中文' },
] as const;

export type Language = (typeof LANGUAGES)[number]['code'];

const CATALOGUES: Readonly<Record<Language, () => Promise<Messages>>> = {
  en: () => Promise.resolve(en),
  de: async () => (await import('./messages/de')).default,
  es: async () => (await import('./messages/es')).default,
  fr: async () => (await import('./messages/fr')).default,
  ja: async () => (await import('./messages/ja')).default,
  zh: async () => (await import('./messages/zh')).default,
};

const KEY = 'fireside-language';

let current = $state.raw<{ readonly code: Language; readonly messages: Messages }>({ code: 'en', messages: en });

/** The words of the page. */
export function t(): Messages {
  return current.messages;
}

/** For `Intl`, and for the page's `lang`. */
export function language(): Language {
  return current.code;
}

/** What a person chose; undefined: as the browser. */
export function chosenLanguage(): Language | undefined {
  const stored = remembered();
  return LANGUAGES.find(({ code }) => code === stored)?.code;
}

/**
 * Takes the language that was chosen, or the first that browser and page both speak.
 *
 * @param asked a tag that comes before what the browser asks for; '' for none
 */
export async function speak(asked = ''): Promise<void> {
  const code =
    asked === ''
      ? (chosenLanguage() ?? firstSpoken(navigator.languages))
      : firstSpoken([asked, ...navigator.languages]);
  const messages = await CATALOGUES[code]();
  current = { code, messages };
  document.documentElement.lang = code;
}

/** Remembers a choice, or that there is none, and speaks it. */
export async function chooseLanguage(code: Language | undefined): Promise<void> {
  try {
    if (code) localStorage.setItem(KEY, code);
    else localStorage.removeItem(KEY);
  } catch {
    // A browser that keeps nothing asks again next time.
  }
  await speak();
}

/** Of what a person reads, best first (`de-CH`, `en`), the first that there is. */
export function firstSpoken(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const primary = tag.toLowerCase().split('-')[0];
    const found = LANGUAGES.find(({ code }) => code === primary);
    if (found) return found.code;
  }
  return 'en';
}

function remembered(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
