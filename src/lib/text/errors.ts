/**
 * Every error of this room. Each carries a `code` that programs branch on, and a message that says which field or
 * file is meant and what a person can do about it.
 */

export type TextErrorCode =
  | 'tokenizer'
  | 'unsupported'
  | 'argument'
  | 'template-syntax'
  | 'template-raised'
  | 'template-failed'
  | 'template-budget';

export class TextError extends Error {
  override readonly name: string = 'TextError';

  constructor(
    readonly code: TextErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A tokenizer file, or the metadata of a model file, is broken: a field is missing or holds what it must not. */
export class TokenizerError extends TextError {
  override readonly name = 'TokenizerError';

  constructor(
    /** The field, as the file spells it: `model.merges[17]`, `tokenizer.ggml.tokens`. */
    readonly field: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super('tokenizer', `${field}: ${problem}`, options);
  }
}

/** The file is sound, but asks for something that this room does not know. */
export class UnsupportedError extends TextError {
  override readonly name = 'UnsupportedError';

  constructor(
    readonly field: string,
    readonly found: string,
    /** What would have been understood. */
    readonly known: readonly string[],
  ) {
    super('unsupported', `${field} is «${found}», which is not supported. Known: ${known.join(', ')}`);
  }
}

/** A caller handed in something that cannot be meant. */
export class ArgumentError extends TextError {
  override readonly name = 'ArgumentError';

  constructor(argument: string, problem: string) {
    super('argument', `${argument}: ${problem}`);
  }
}

type TemplateErrorCode = Extract<TextErrorCode, `template-${string}`>;

/** A chat template could not be read, refused the conversation, or was stopped. */
export class TemplateError extends TextError {
  override readonly name = 'TemplateError';

  constructor(code: TemplateErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
