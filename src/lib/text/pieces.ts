/** What a token reads as: text, or bytes that may be a part of a character. */
import { spelledByte } from './byte-level';
import { Kind, type Vocabulary } from './vocabulary';

/** How normal tokens are spelt: GPT-2's byte alphabet, or text with `▁` for the space. */
export type Spelling = 'bytes' | 'spaced';

/** `whole`: complete text that no bytes before or after it belong to. */
export type Piece = { readonly whole: string } | { readonly bytes: Uint8Array };

const encoder = new TextEncoder();

export function pieceOf(vocabulary: Vocabulary, id: number, spelling: Spelling): Piece {
  const token = vocabulary.tokenOf(id);
  switch (vocabulary.kindOf(id)) {
    case Kind.byte:
      return { bytes: Uint8Array.of(parseInt(token.slice(3, 5), 16)) };
    case Kind.control:
    case Kind.unknown:
      return { whole: token };
    case Kind.user:
      return { whole: spelling === 'spaced' ? unspaced(token) : token };
    case Kind.normal:
    case Kind.unused:
      return spelling === 'spaced' ? { whole: unspaced(token) } : { bytes: spelledBytes(token) };
  }
}

function unspaced(token: string): string {
  return token.replaceAll('▁', ' ');
}

/** Characters outside the alphabet, which no merge makes, stand for themselves. */
function spelledBytes(token: string): Uint8Array {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i++) {
    const byte = spelledByte(token.charCodeAt(i));
    if (byte < 0) return encoder.encode(token);
    bytes[i] = byte;
  }
  return bytes;
}
