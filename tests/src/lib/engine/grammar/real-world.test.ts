/** Schemas that others publish (GitHub's of its webhooks): what is not refused by name is held, whatever a model writes. */
import { expect, inject, test } from 'vitest';
import { ebnfOfSchema, SchemaError } from '$lib/engine/grammar';
import { missingPackage, oracle } from '../../../../support/oracles';
import { pocketTokenizer } from '../../../../support/text/tokenizers';
import { RandomWalker } from './random-walk';
import { validator } from './validator';

interface Published {
  readonly definitions: Readonly<Record<string, object>>;
}

/** Tokens: whoever draws at random is not brief. What does not end within them is not judged, and not counted. */
const LONGEST = 4000;

const large = inject('large');
/** The smaller ones; in the full run all that end. */
const wanted = large ? Infinity : 200;

test(`${large ? 'all' : wanted} published schemas are held`, async (context) => {
  const missing = missingPackage('@octokit/webhooks-schemas') ?? missingPackage('ajv');
  if (missing) return context.skip(missing);
  const { default: published } = await oracle<{ default: Published }>('@octokit/webhooks-schemas');
  const { definitions } = published;
  const ajv = await validator('draft7');
  // Once for all: they refer to one another.
  ajv.addSchema({ $id: 'https://published/', definitions });
  const { grammars, refused } = grammarsOf(definitions);
  const walker = new RandomWalker(pocketTokenizer());
  let held = 0;
  for (const [i, { name, grammar }] of grammars.entries()) {
    if (held === wanted) break;
    const walk = await walker.walk(grammar, i, LONGEST);
    if (!walk.ended) continue;
    const validate = ajv.compile({ $ref: `https://published/#/definitions/${name}` });
    expect(validate(JSON.parse(walk.text)), `${name}: ${JSON.stringify(validate.errors)}`).toBe(true);
    held += 1;
  }
  walker.close();
  console.log(
    `${held} held, ${refused.length} refused: ${[...new Set(refused.map((why) => why.replace(/^\S+/, '')))].join('; ')}`,
  );
  expect(held).toBeGreaterThanOrEqual(200);
  expect(refused.length).toBeLessThan(held / 10);
});

/** Of all that can be held, the shortest first; and why others were refused. */
function grammarsOf(definitions: Published['definitions']): {
  readonly grammars: readonly { readonly name: string; readonly grammar: string }[];
  readonly refused: readonly string[];
} {
  const refused: string[] = [];
  const grammars = Object.keys(definitions).flatMap((name) => {
    try {
      return [{ name, grammar: ebnfOfSchema({ $ref: `#/definitions/${name}`, definitions }, name) }];
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
      refused.push(error.message);
      return [];
    }
  });
  return { grammars: grammars.toSorted((a, b) => a.grammar.length - b.grammar.length), refused };
}
