/** Seeded random texts in many scripts, and random bytes. */

export type Random = (below: number) => number;

/** Whole numbers below what is asked for; the same seed gives the same numbers (mulberry32). */
export function random(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const SCRIPTS = [
  'etaoin shrdlu ',
  'ABC DeF camelCase ',
  '0123456789 .,',
  'äöüßéàñçø ğıİş ',
  "I'll you've don't it's WE'RE ",
  'привет мир ',
  '你好世界中文，。',
  'こんにちはカタカナー ',
  '안녕하세요 ',
  'สวัสดีชาวโลก ',
  'مرحبا بالعالم ',
  'नमस्ते दुनिया ',
  '😀🦙👨‍👩‍👧🏳️‍🌈✅🇩🇪 ',
  '   \n\n\t\r\n',
  '!@#$%^&*()_+-=[]{}|;:",.<>/?`~',
  '\u00a0\u2003\u3000\u200b\u0085\ufeff\u00ad',
  '٣٤٥ ४५६ ㊿½²',
  'e\u0301a\u030a ',
  'aaaa....====    ',
].map((script) => Array.from(script));

/** Up to eight runs of up to twelve characters, each run in one script. */
export function randomText(next: Random): string {
  let text = '';
  for (let run = next(8); run >= 0; run--) {
    const script = SCRIPTS[next(SCRIPTS.length)] ?? [];
    for (let i = next(12); i >= 0; i--) text += script[next(script.length)] ?? '';
  }
  return text;
}
