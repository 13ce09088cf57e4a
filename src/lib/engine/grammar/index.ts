/** What an answer has to look like: from JSON schemas and regular expressions to grammars. No tokens yet: masks.ts. */
import { SchemaGrammar } from './schema-grammar';

export { requireBounded } from './bounds';
export { literal } from './ebnf';
export { SchemaError } from './errors';
export { ebnfOfRegex } from './patterns';
export { SchemaGrammar } from './schema-grammar';

/** Throws a SchemaError for what cannot be held. */
export function ebnfOfSchema(schema: unknown, path: string): string {
  const grammar = new SchemaGrammar();
  return grammar.toEbnf(grammar.schema(schema, path));
}
