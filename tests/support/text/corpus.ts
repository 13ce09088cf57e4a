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
const NEW = new RegExp(
  `[${[
    '\\u{1ACF}-\\u{1AEB}\\u{20C1}\\u{2B96}\\u{A7CE}-\\u{A7D4}\\u{A7F1}\\u{FBC3}-\\u{FBD2}\\u{FD90}\\u{FD91}\\u{FDC8}-\\u{FDCE}',
    '\\u{10940}-\\u{10959}\\u{10EC5}-\\u{10EC7}\\u{10ED0}-\\u{10ED8}\\u{10EFA}\\u{10EFB}\\u{113C2}\\u{11B60}-\\u{11B67}',
    '\\u{11DB0}-\\u{11DE9}\\u{1611E}\\u{16D67}\\u{16EA0}-\\u{16ED3}\\u{16FF2}-\\u{16FF6}\\u{187F8}-\\u{187FF}',
    '\\u{18D09}-\\u{18D1E}\\u{18D80}-\\u{18DF2}\\u{1CCFA}-\\u{1CCFC}\\u{1CEBA}-\\u{1CED0}\\u{1CEE0}-\\u{1CEF0}',
    '\\u{1E6C0}-\\u{1E6FF}\\u{1F6D8}\\u{1F777}-\\u{1F77A}\\u{1F8D0}-\\u{1F8D8}\\u{1FA54}-\\u{1FA57}\\u{1FA8A}\\u{1FA8E}',
    '\\u{1FAC8}\\u{1FACD}\\u{1FAEA}\\u{1FAEF}\\u{1FBFA}\\u{2B73A}-\\u{2B73F}\\u{2CEA2}-\\u{2CEAD}',
  ].join('')}]`,
  'u',
);

/** Each character of the planes that have some, between letters, digits, spaces and its like. Surrogates have no bytes. */
export function eachCharacter(): string[] {
  const texts: string[] = [];
  for (let code = 0; code < 0x32000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const character = String.fromCodePoint(code);
    if (NEW.test(character)) continue;
    texts.push(`a${character}B ${character}${character}1${character}2 x`);
  }
  return texts;
}
