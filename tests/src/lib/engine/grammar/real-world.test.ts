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

/** Schemas in a grammar. */
const TOGETHER = 24;

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
  const { names, refused } = heldOf(definitions);
  const walker = new RandomWalker(pocketTokenizer());
  let held = 0;
  for (let at = 0; at < names.length && held < wanted; at += TOGETHER) {
    const batch = names.slice(at, at + TOGETHER);
    const grammar = ebnfOfSchema({ anyOf: batch.map(alone), definitions }, 'published');
    for (const [i, name] of batch.entries()) {
      const walk = await walker.walk(grammar, at + i, LONGEST, `{${JSON.stringify(name)}:`);
      if (!walk.ended) continue;
      const validate = ajv.compile({ $ref: `https://published/#/definitions/${name}` });
      const { [name]: value } = JSON.parse(walk.text) as Record<string, unknown>;
      expect(validate(value), `${name}: ${JSON.stringify(validate.errors)}`).toBe(true);
      held += 1;
    }
  }
  walker.close();
  console.log(
    `${held} held, ${refused.length} refused: ${[...new Set(refused.map((why) => why.replace(/^\S+/, '')))].join('; ')}`,
  );
  expect(held).toBeGreaterThanOrEqual(200);
  expect(refused.length).toBeLessThan(held / 10);
});

/** One of them by its name, so that a grammar of many has the rules once that they share. */
function alone(name: string): object {
  const value = { $ref: `#/definitions/${name}` };
  return { type: 'object', properties: { [name]: value }, required: [name], additionalProperties: false };
}

/** Names of all that can be held, the shortest grammars first; and why others were refused. */
function heldOf(definitions: Published['definitions']): {
  readonly names: readonly string[];
  readonly refused: readonly string[];
} {
  const refused: string[] = [];
  const lengths = Object.keys(definitions).flatMap((name) => {
    try {
      return [{ name, length: ebnfOfSchema({ $ref: `#/definitions/${name}`, definitions }, name).length }];
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
      refused.push(error.message);
      return [];
    }
  });
  return { names: lengths.toSorted((a, b) => a.length - b.length).map(({ name }) => name), refused };
}
