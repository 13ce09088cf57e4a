/** Texts on which tokenizers part company: code, numbers, white space, scripts, marks, emoji, and each character there is. */
import { random, randomText } from './random';

const LINES = [
  '',
  ' ',
  'Hello, world!',
  "I'll we've DON'T it'S Ya'll 'tis o'clock d’accord '''quoted'''",
  'camelCaseWords snake_case_words SCREAMING_SNAKE kebab-case-words XMLHttpRequest iPhone15ProMax',
  '0 12 345 6789 1234567890 3.14159 1e-10 0xdeadbeef 1,234,567.89 ١٢٣٤٥٦ १२३४५ ½ ² Ⅷ ㊿ 𝟘𝟙𝟚',
  'def f(x: int) -> str:\n    """Doc."""\n\tif x != 0 and not y:\n        return f"{x:>10}"\n\n\n# end',
  'const a = (b) => ({ ...c, [`k${d}`]: e?.f ?? 0 }); // ok\r\n/* multi\r\n line */\r\n',
  '{"key": [1, 2.5, null, true], "nested": {"a": "\\u00e9\\n"}}',
  '<div class="x" id=\'y\'>&nbsp;&amp;</div>\n<!-- comment -->',
  "SELECT * FROM t WHERE a = 'b' AND c <> 4; -- x",
  'https://example.org/a/b?c=d&e=%20f#g user@example.org /usr/local/bin C:\\Windows\\System32',
  '\\frac{a}{b} \\sum_{i=0}^{n} x_i^2 $E = mc^2$',
  '| a | b |\n|---|---|\n| 1 | 2 |\n\n- item\n  - nested\n\n1. one\n2. two\n\n```js\ncode\n```',
  '   leading and trailing   ',
  '\n\n\n\t\t\t   \r\n\r\n \n \t \n',
  'a  b   c    d     e      f       g        h         i          j',
  'tab\tbetween\t\twords\t\t\tand\n\n\n\nlines',
  'no-break\u00a0space thin\u2009space ideographic\u3000space zero\u200bwidth\u200djoin line\u2028sep para\u2029sep nel\u0085x',
  '\ufeffbom at the start and \ufeff inside',
  'soft\u00adhyphen word\u2060joiner rtl\u200fmark ltr\u200emark',
  'null\u0000 bell\u0007 escape\u001b[0m delete\u007f private\ue000 nonchar\ufffe',
  'Ünïcödé Straße ẞ ſ K Å ﬁ ﬂ Ǆ ǅ ǆ İstanbul ıI ΑΣΣ Ὀδυσσεύς',
  'e\u0301 n\u0303 a\u030a\u0327 o\u0308\u0304 \u0301alone क्षि நி กำ ำ',
  'Привет, мир! Ёлка, їжак, ўсё; ЩЁТКА-щётка №5',
  '你好，世界！今天是2024年1月1日。「引用」（括号）……——《书名》',
  '日本語のテキスト、カタカナとひらがな。ｈａｌｆ　ｗｉｄｔｈ ﾊﾝｶｸ 々〆〇',
  '안녕하세요 세계! 조합형 \u1112\u1161\u11ab\u1100\u1173\u11af ㅋㅋㅋㅋ ㅠㅠ',
  'مرحبا بالعالم! السَّلَامُ عَلَيْكُمْ ۱۲۳ لا إله ﷺ',
  'שלום עולם! בְּרֵאשִׁית בָּרָא \u202bhebrew\u202c',
  'สวัสดีชาวโลก ราคา ๑๒๓ บาท',
  'नमस्ते दुनिया! हिन्दी में लिखा हुआ। ০১২ বাংলা தமிழ் తెలుగు ಕನ್ನಡ മലയാളം ગુજરાતી ਪੰਜਾਬੀ',
  'გამარჯობა Բարեւ ሰላም ᏣᎳᎩ ᠮᠣᠩᠭᠣᠯ བོད་ ខ្មែរ ລາວ မြန်မာ',
  '😀😃😄 👨‍👩‍👧‍👦 👍🏽 🏳️‍🌈 🇩🇪🇫🇷 1️⃣ ❤️ ☺ ⌚️ 🧑🏿‍🚀',
  '𝓗𝓮𝓵𝓵𝓸 𝔽𝕣𝕒𝕜 𐍈𐌲𐌿 𒀀𒁀 𓀀𓂀 𠀀𠁂 🀄🃏',
  '→←↑↓ ∀∃∈∉ ≤≥≠ √∞∫ ©®™ §¶† €£¥₹ °C ½¾ «guillemets» “quotes” ‘single’ „low“',
  '--- === *** ... ,,, !!! ??? ;;; ::: ~~~ ### @@@ $$$ %%% ^^^ &&& ((( ))) [[[ ]]] {{{ }}}',
  'a.b,c;d:e!f?g(h)i[j]k{l}m<n>o/p\\q|r-s_t=u+v*w&x^y%z$1#2@3~4`5"6\'7',
  'x'.repeat(300),
  'ab'.repeat(200),
  '='.repeat(129),
  '哈'.repeat(100),
  '🦙'.repeat(40),
  '9'.repeat(100),
  '\n'.repeat(50),
  '\t'.repeat(33),
  ' '.repeat(200),
  'word '.repeat(80),
  '▁ ▁▁ lower▁one <0x0A> <0xE2> Ġ Ċ âĢĵ',
  '<s> </s> <unk> <pad> <bos> <eos> <|im_start|> <|im_end|> <|endoftext|> <|eot_id|> <think></think> [INST] [/INST]',
];

/** Runs of white space of every length and kind, before words and at the ends. */
function whiteSpace(): string[] {
  const kinds = [' ', '\n', '\t', '\r\n', '\u00a0', ' \n', '\n ', '\u3000'];
  return kinds.flatMap((kind) =>
    [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31].map((n) => `a${kind.repeat(n)}b1${kind.repeat(n)}`),
  );
}

/** Some 2,700 texts. */
export function corpus(randomTexts = 2500): string[] {
  const next = random(20261121);
  return [...LINES, ...whiteSpace(), ...Array.from({ length: randomTexts }, () => randomText(next))];
}

/** What came with Unicode 16 and 17 and is not the same to all: patterns and normal forms know different versions. */
const NEW: readonly (readonly [from: number, to: number])[] = [
  [0x1acf, 0x1acf],
  [0x1aeb, 0x1aeb],
  [0x20c1, 0x20c1],
  [0x2b96, 0x2b96],
  [0xa7ce, 0xa7ce],
  [0xa7d4, 0xa7d4],
  [0xa7f1, 0xa7f1],
  [0xfbc3, 0xfbc3],
  [0xfbd2, 0xfbd2],
  [0xfd90, 0xfd90],
  [0xfd91, 0xfd91],
  [0xfdc8, 0xfdc8],
  [0xfdce, 0xfdce],
  [0x10940, 0x10940],
  [0x10959, 0x10959],
  [0x10ec5, 0x10ec5],
  [0x10ec7, 0x10ec7],
  [0x10ed0, 0x10ed0],
  [0x10ed8, 0x10ed8],
  [0x10efa, 0x10efa],
  [0x10efb, 0x10efb],
  [0x113c2, 0x113c2],
  [0x11b60, 0x11b60],
  [0x11b67, 0x11b67],
  [0x11db0, 0x11db0],
  [0x11de9, 0x11de9],
  [0x1611e, 0x1611e],
  [0x16d67, 0x16d67],
  [0x16ea0, 0x16ea0],
  [0x16ed3, 0x16ed3],
  [0x16ff2, 0x16ff2],
  [0x16ff6, 0x16ff6],
  [0x187f8, 0x187f8],
  [0x187ff, 0x187ff],
  [0x18d09, 0x18d09],
  [0x18d1e, 0x18d1e],
  [0x18d80, 0x18d80],
  [0x18df2, 0x18df2],
  [0x1ccfa, 0x1ccfa],
  [0x1ccfc, 0x1ccfc],
  [0x1ceba, 0x1ceba],
  [0x1ced0, 0x1ced0],
  [0x1cee0, 0x1cee0],
  [0x1cef0, 0x1cef0],
  [0x1e6c0, 0x1e6c0],
  [0x1e6ff, 0x1e6ff],
  [0x1f6d8, 0x1f6d8],
  [0x1f777, 0x1f777],
  [0x1f77a, 0x1f77a],
  [0x1f8d0, 0x1f8d0],
  [0x1f8d8, 0x1f8d8],
  [0x1fa54, 0x1fa54],
  [0x1fa57, 0x1fa57],
  [0x1fa8a, 0x1fa8a],
  [0x1fa8e, 0x1fa8e],
  [0x1fac8, 0x1fac8],
  [0x1facd, 0x1facd],
  [0x1faea, 0x1faea],
  [0x1faef, 0x1faef],
  [0x1fbfa, 0x1fbfa],
  [0x2b73a, 0x2b73a],
  [0x2b73f, 0x2b73f],
  [0x2cea2, 0x2cea2],
  [0x2cead, 0x2cead],
];

/** Each character of the planes that have some, between letters, digits, spaces and its like. Surrogates have no bytes. */
export function eachCharacter(): string[] {
  const texts: string[] = [];
  for (let code = 0; code < 0x32000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    if (NEW.some(([from, to]) => code >= from && code <= to)) continue;
    const character = String.fromCodePoint(code);
    texts.push(`a${character}B ${character}${character}1${character}2 x`);
  }
  return texts;
}
