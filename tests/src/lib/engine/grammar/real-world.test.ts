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
const wanted = large ? 200 : 8;

test(`${wanted} published schemas are held`, async (context) => {
  const missing = missingPackage('@octokit/webhooks-schemas') ?? missingPackage('ajv');
  if (missing) return context.skip(missing);
  const { default: published } = await oracle<{ default: Published }>('@octokit/webhooks-schemas');
  const { definitions } = published;
  const names = Object.keys(definitions);
  const ajv = await validator('draft7');
  const walker = new RandomWalker(pocketTokenizer());
  const refused: string[] = [];
  let held = 0;
  for (let i = 0; held < wanted && i < names.length; i++) {
    // Spread over the alphabet.
    const name = names[(i * 37) % names.length]!;
    const schema = { $ref: `#/definitions/${name}`, definitions };
    let grammar: string;
    try {
      grammar = ebnfOfSchema(schema, name);
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
      refused.push(error.message);
      continue;
    }
    const walk = await walker.walk(grammar, i, LONGEST);
    if (!walk.ended) continue;
    const validate = ajv.compile(schema);
    expect(validate(JSON.parse(walk.text)), `${name}: ${JSON.stringify(validate.errors)}`).toBe(true);
    held += 1;
  }
  walker.close();
  console.log(
    `${held} held, ${refused.length} refused: ${[...new Set(refused.map((why) => why.replace(/^\S+/, '')))].join('; ')}`,
  );
  expect(held).toBe(wanted);
  expect(refused.length).toBeLessThan(held / 10 + 1);
});
