/** What `fireside generate` understands of its line, and what it refuses before anything is opened. */
import { expect, test } from 'vitest';
import { readRequest } from '../../../../src/cli/commands/generate';
import { quantisedTable } from '../../../../src/cli/model/quantised';

const asked = (line: string): ReturnType<typeof readRequest> =>
  readRequest(['--model', 'm', ...line.split(' ').filter(Boolean)]);

test('a text, a question, ids', () => {
  expect(asked('--prompt Hi').prompt).toEqual({ kind: 'text', text: 'Hi' });
  expect(asked('--chat --prompt Hi').prompt).toEqual({ kind: 'chat', messages: [{ role: 'user', content: 'Hi' }] });
  expect(asked('--chat --system Rhyme. --prompt Hi').prompt).toEqual({
    kind: 'chat',
    messages: [
      { role: 'system', content: 'Rhyme.' },
      { role: 'user', content: 'Hi' },
    ],
  });
  expect(asked('--ids 1,85,736').prompt).toEqual({ kind: 'ids', ids: [1, 85, 736] });
});

test('what is not said has its default', () => {
  expect(asked('--prompt Hi')).toMatchObject({ choice: { model: 'm' }, sampling: {}, stop: [], json: false });
  expect(asked('--prompt Hi').maxTokens).toBeUndefined();
});

test('every option of sampling, and the others', () => {
  const line =
    '--prompt Hi --temperature 0.7 --top-k 40 --top-p 0.9 --min-p 0.05 --repetition-penalty 1.1 ' +
    '--presence-penalty=-0.5 --frequency-penalty 0.2 --seed 7 --max-tokens 8 --context 512 --stop a --stop b --json ' +
    '--typical-p 0.8 --logit-bias 15=-2.5 --logit-bias 2=-inf --logit-bias 7=+4 --logprobs 5';
  expect(asked(line)).toMatchObject({
    sampling: {
      temperature: 0.7,
      topK: 40,
      topP: 0.9,
      minP: 0.05,
      typicalP: 0.8,
      logitBias: { 15: -2.5, 2: -Infinity, 7: 4 },
      repetitionPenalty: 1.1,
      presencePenalty: -0.5,
      frequencyPenalty: 0.2,
      seed: 7,
    },
    maxTokens: 8,
    choice: { context: 512 },
    stop: ['a', 'b'],
    json: true,
    logprobs: 5,
  });
});

test.each([
  ['', 'either --prompt or --ids'],
  ['--prompt a --ids 1', 'either --prompt or --ids'],
  ['--chat --ids 1', '--chat goes with --prompt'],
  ['--system a --prompt b', '--system goes with --chat'],
  ['--ids 1,x', '--ids wants token ids'],
  ['--ids 1,,2', '--ids wants token ids'],
  ['--ids -1', 'ids'],
  ['--prompt a --max-tokens 0', '--max-tokens wants a whole number from 1'],
  ['--prompt a --max-tokens 1.5', '--max-tokens wants a whole number'],
  ['--prompt a --temperature hot', '--temperature wants a number'],
  ['--prompt a --temperature=-1', 'temperature'],
  ['--prompt a --top-p 2', 'topP'],
  ['--prompt a --seed 1e300', 'seed'],
  ['--prompt a --logit-bias 15', '--logit-bias wants a token id and a number'],
  ['--prompt a --logit-bias x=1', '--logit-bias wants'],
  ['--prompt a --logit-bias 15=1.2.3', '--logit-bias wants'],
  ['--prompt a --logit-bias 15=101', 'logitBias: got 101 for token 15'],
  ['--prompt a --logit-bias=-1=4', '--logit-bias wants'],
  ['--prompt a --logprobs 3', '--logprobs goes with --json'],
  ['--prompt a --json --logprobs 21', '--logprobs wants a whole number from 1 to 20'],
  ['--prompt a --stop=', '--stop wants a text'],
  ['--prompt a --fly', '--fly'],
  ['--prompt a b', 'b'],
])('«%s» is refused, and it says why', (line, why) => {
  expect(() => asked(line)).toThrow(why);
});

test('without a model there is nothing to run', () => {
  expect(() => readRequest(['--prompt', 'Hi'])).toThrow('--model is missing');
});

test('weights that are quantised as they come, to what there is', () => {
  expect(asked('--prompt Hi --quant q4').choice.quant).toBe('q4');
  expect(asked('--prompt Hi').choice.quant).toBeUndefined();
  expect(() => asked('--prompt Hi --quant q5')).toThrow('--quant is q8 or q4, not «q5»');
});

test('which attention kernels may serve', () => {
  expect(asked('--prompt Hi --attention standard').choice.attention).toBe('standard');
  expect(() => asked('--prompt Hi --attention fast')).toThrow('--attention is auto or flash or standard, not «fast»');
});

test('what quantising cost is a line a tensor, and the worst in the end', () => {
  const lost = { type: 'F16', layout: 'q8', max: 0.004 } as const;
  const table = quantisedTable([
    { name: 'a.weight', ...lost, rms: 0.0021 },
    { name: 'long.weight', ...lost, rms: 0.0031 },
  ]);
  expect(table.split('\n')).toEqual([
    'a.weight      F16 to q8  error: rms 0.210 %, largest 0.400 %',
    'long.weight   F16 to q8  error: rms 0.310 %, largest 0.400 %',
    '2 tensors quantised; the most by rms loses long.weight, 0.310 %.',
  ]);
});
