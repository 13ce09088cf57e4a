/**
 * From a grammar to masks of allowed tokens, through xgrammar. It knows a model's tokens as bytes; everything that a
 * tokenizer may do with them (SentencePiece's spaces, GPT-2's alphabet) is undone before.
 */
import { SPELLING } from '$lib/text/byte-level';
import { Kind, type Tokenizer } from '$lib/text';
import type { MaskHook } from '$gpu/generate';
import { TOOL_MARKS } from '../api/tool-formats';
import { EngineFault } from '../errors';
import type { GrammarSpec } from '../protocol';
import type { Xgrammar } from './xgrammar';

type CompiledGrammar = Awaited<ReturnType<Compiler['compileGrammar']>>;
type Matcher = Awaited<ReturnType<Xgrammar['GrammarMatcher']['createGrammarMatcher']>>;
type Compiler = Awaited<ReturnType<Xgrammar['GrammarCompiler']['createGrammarCompiler']>>;

/** Masks for one answer. */
export interface Masks {
  readonly mask: MaskHook;
  /** Gives back its memory. */
  readonly close: () => void;
}

/** Compiled grammars that are kept: clients ask for the same few again and again. */
const KEPT = 8;

export class Grammars {
  readonly #tokenizer: Tokenizer;
  readonly #vocab: number;
  readonly #load: () => Promise<Xgrammar>;
  /** By whether the marks of tool calls may be written as the control tokens they are. */
  readonly #compilers = new Map<boolean, Promise<Compiler>>();
  /** Least recently used first. */
  readonly #compiled = new Map<string, CompiledGrammar>();

  /** @param vocab tokens that the model's logits are for: at least the tokenizer's */
  constructor(tokenizer: Tokenizer, vocab: number, load: () => Promise<Xgrammar>) {
    this.#tokenizer = tokenizer;
    this.#vocab = vocab;
    this.#load = load;
  }

  async open(spec: GrammarSpec): Promise<Masks> {
    const compiled = await this.#compile(spec);
    const xgrammar = await this.#load();
    const matcher = await xgrammar.GrammarMatcher.createGrammarMatcher(compiled);
    return { mask: maskOf(matcher), close: () => matcher.dispose() };
  }

  close(): void {
    for (const compiled of this.#compiled.values()) compiled.dispose();
    this.#compiled.clear();
  }

  async #compile(spec: GrammarSpec): Promise<CompiledGrammar> {
    const key = JSON.stringify(spec);
    const known = this.#compiled.get(key);
    this.#compiled.delete(key);
    const compiled = known ?? (await this.#compileAnew(spec, key));
    this.#compiled.set(key, compiled);
    const [oldest] = this.#compiled;
    if (this.#compiled.size > KEPT && oldest) {
      oldest[1].dispose();
      this.#compiled.delete(oldest[0]);
    }
    return compiled;
  }

  async #compileAnew(spec: GrammarSpec, key: string): Promise<CompiledGrammar> {
    const compiler = await this.#compilerFor([...TOOL_MARKS].some((mark) => key.includes(mark)));
    try {
      if (typeof spec === 'string') return await compiler.compileGrammar(spec);
      const tags = spec.tags.map(({ begin, grammar, end }) => {
        return { type: 'tag' as const, begin, content: { type: 'grammar' as const, grammar }, end };
      });
      return await compiler.compileStructuralTag({ type: 'triggered_tags', triggers: [spec.trigger], tags });
    } catch (cause) {
      throw new EngineFault('grammar', 'The grammar cannot be read: it is not in the EBNF of xgrammar.', { cause });
    }
  }

  #compilerFor(marked: boolean): Promise<Compiler> {
    const known = this.#compilers.get(marked) ?? this.#openCompiler(marked);
    this.#compilers.set(marked, known);
    // What could not be fetched may be had the next time.
    known.catch(() => this.#compilers.delete(marked));
    return known;
  }

  async #openCompiler(marked: boolean): Promise<Compiler> {
    const xgrammar = await this.#load();
    const tokens = spelledTokens(this.#tokenizer, marked);
    const ends = [...this.#tokenizer.roles.ends];
    const info = await xgrammar.TokenizerInfo.createTokenizerInfo(tokens, 'byte_level', false, this.#vocab, ends);
    return xgrammar.GrammarCompiler.createGrammarCompiler(info);
  }
}

/** A hook is asked once for every token, with all that were drawn before it. */
function maskOf(matcher: Matcher): MaskHook {
  let accepted = 0;
  return async (drawn) => {
    for (; accepted < drawn.length; accepted += 1) {
      if (matcher.acceptToken(drawn[accepted]!)) continue;
      throw new EngineFault('grammar', `Token ${drawn[accepted]!} was drawn, which the grammar does not allow.`);
    }
    const words = await matcher.getNextTokenBitmask();
    return new Uint32Array(words.buffer, words.byteOffset, words.length);
  };
}

/** Every token's bytes in GPT-2's alphabet, the one form in which xgrammar takes bytes; '' for what is never text. */
function spelledTokens(tokenizer: Tokenizer, marked: boolean): string[] {
  const { vocabulary, roles } = tokenizer;
  return Array.from({ length: vocabulary.size }, (_, id) => {
    const kind = vocabulary.kindOf(id);
    if (kind === Kind.unknown || kind === Kind.unused || roles.ends.has(id)) return '';
    if (kind === Kind.control && !(marked && TOOL_MARKS.has(vocabulary.tokenOf(id)))) return '';
    return Array.from(tokenizer.bytesOf(id), (byte) => SPELLING[byte]!).join('');
  });
}
