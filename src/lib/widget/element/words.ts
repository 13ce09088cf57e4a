/** The few words that stand outside the frame, where its catalogue is not: what the button and the panel are called. */

interface Words {
  readonly open: string;
  readonly close: string;
  readonly chat: string;
}

const WORDS: Readonly<Record<string, Words>> = {
  en: { open: 'Open the chat', close: 'Close the chat', chat: 'Chat' },
  de: { open: 'Chat öffnen', close: 'Chat schließen', chat: 'Chat' },
  es: { open: 'Abrir el chat', close: 'Cerrar el chat', chat: 'Chat' },
  fr: { open: 'Ouvrir la discussion', close: 'Fermer la discussion', chat: 'Discussion' },
  ja: { open: 'チャットを開く', close: 'チャットを閉じる', chat: 'チャット' },
  zh: { open: '打开聊天', close: '关闭聊天', chat: '聊天' },
};

/** @param wanted language tags, best first */
export function wordsFor(wanted: readonly string[]): Words {
  const known = wanted.map((tag) => WORDS[tag.toLowerCase().split('-')[0]!]);
  return known.find((words) => words !== undefined) ?? WORDS.en!;
}
