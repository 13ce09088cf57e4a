/** Every form of address that a person may paste, and what is said of what is none. */
import { describe, expect, test } from 'vitest';
import { formatAddress, type ModelAddress, parseAddress } from '$lib/store/address';
import { StoreError } from '$lib/store/errors';

const qwen = { kind: 'hub', repo: 'Qwen/Qwen3-0.6B' } as const;
const file = { ...qwen, path: 'Qwen3-0.6B-Q8_0.gguf' } as const;

const FORMS: readonly (readonly [text: string, address: ModelAddress])[] = [
  ['Qwen/Qwen3-0.6B', qwen],
  ['  Qwen/Qwen3-0.6B \n', qwen],
  ['"Qwen/Qwen3-0.6B"', qwen],
  ['`Qwen/Qwen3-0.6B`', qwen],
  ['<https://huggingface.co/Qwen/Qwen3-0.6B>', qwen],
  ['Qwen/Qwen3-0.6B/', qwen],
  ['Qwen/Qwen3-0.6B@main', qwen],
  ['Qwen/Qwen3-0.6B@v1.0', { ...qwen, revision: 'v1.0' }],
  ['Qwen/Qwen3-0.6B:Q8_0', { ...qwen, variant: 'Q8_0' }],
  ['Qwen/Qwen3-0.6B:latest', qwen],
  ['Qwen/Qwen3-0.6B/Qwen3-0.6B-Q8_0.gguf', file],
  ['Qwen/Qwen3-0.6B@abc/deep/er/x.gguf', { ...qwen, revision: 'abc', path: 'deep/er/x.gguf' }],
  ['hf://Qwen/Qwen3-0.6B', qwen],
  ['hf://Qwen/Qwen3-0.6B@v1/Qwen3-0.6B-Q8_0.gguf', { ...file, revision: 'v1' }],
  ['hf.co/Qwen/Qwen3-0.6B', qwen],
  ['hf.co/Qwen/Qwen3-0.6B:Q8_0', { ...qwen, variant: 'Q8_0' }],
  ['huggingface.co/Qwen/Qwen3-0.6B', qwen],
  ['http://huggingface.co/Qwen/Qwen3-0.6B', qwen],
  ['https://www.huggingface.co/Qwen/Qwen3-0.6B?library=transformers#usage', qwen],
  ['https://huggingface.co/Qwen/Qwen3-0.6B.git', qwen],
  ['https://huggingface.co/Qwen/Qwen3-0.6B/tree/main', qwen],
  ['https://huggingface.co/Qwen/Qwen3-0.6B/tree/v1/folder', { ...qwen, revision: 'v1' }],
  ['https://huggingface.co/Qwen/Qwen3-0.6B/tree/refs%2Fpr%2F7', { ...qwen, revision: 'refs/pr/7' }],
  ['https://huggingface.co/Qwen/Qwen3-0.6B/tree/feature%2Ffast', { ...qwen, revision: 'feature/fast' }],
  ['Qwen/Qwen3-0.6B@refs/pr/7', { ...qwen, revision: 'refs/pr/7' }],
  ['Qwen/Qwen3-0.6B@feature%2Ffast/Qwen3-0.6B-Q8_0.gguf', { ...file, revision: 'feature/fast' }],
  ['Qwen/Qwen3-0.6B.git', qwen],
  ['https://huggingface.co/Qwen/Qwen3-0.6B/blob/main/Qwen3-0.6B-Q8_0.gguf', file],
  [
    'https://huggingface.co/Qwen/Qwen3-0.6B/resolve/a%2Fb/my%20best/100%25%20%23%C3%BC%3F.gguf',
    { ...qwen, revision: 'a/b', path: 'my best/100% #ü?.gguf' },
  ],
  ['Qwen/Qwen3-0.6B/100%.gguf', { ...qwen, path: '100%.gguf' }],
  ['https://huggingface.co/Qwen/Qwen3-0.6B/resolve/main/Qwen3-0.6B-Q8_0.gguf?download=true', file],
  ['https://huggingface.co/Qwen/Qwen3-0.6B/resolve/1a2b/Qwen3-0.6B-Q8_0.gguf', { ...file, revision: '1a2b' }],
  ['https://huggingface.co/Qwen/Qwen3-0.6B/raw/main/config.json', qwen],
  ['https://huggingface.co/Qwen/Qwen3-0.6B/blob/main/model.safetensors', { ...qwen, path: 'model.safetensors' }],
  ['https://huggingface.co/Qwen/Qwen3-0.6B/discussions/3', qwen],
  ['https://huggingface.co/Qwen/Qwen3-0.6B/commit/1a2b3c', { ...qwen, revision: '1a2b3c' }],
  ['https://huggingface.co/Qwen/Qwen3-0.6B?show_file_info=Qwen3-0.6B-Q8_0.gguf', file],
  ['https://huggingface.co/api/models/Qwen/Qwen3-0.6B/tree/main', qwen],
  ['https://hf-mirror.com/Qwen/Qwen3-0.6B', qwen],
  ['git clone https://huggingface.co/Qwen/Qwen3-0.6B', qwen],
  ['git lfs clone https://huggingface.co/Qwen/Qwen3-0.6B', qwen],
  ['ollama run hf.co/Qwen/Qwen3-0.6B:Q8_0', { ...qwen, variant: 'Q8_0' }],
  ['llama-server -hf Qwen/Qwen3-0.6B:Q8_0', { ...qwen, variant: 'Q8_0' }],
  ['llama-cli --hf-repo Qwen/Qwen3-0.6B -p "hi"', qwen],
  ['hf download Qwen/Qwen3-0.6B', qwen],
  ['huggingface-cli download Qwen/Qwen3-0.6B Qwen3-0.6B-Q8_0.gguf --local-dir .', file],
  ['vllm serve "Qwen/Qwen3-0.6B"', qwen],
  ['AutoModel.from_pretrained("Qwen/Qwen3-0.6B")', qwen],
  ['https://example.org/models/a.gguf', { kind: 'url', url: 'https://example.org/models/a.gguf' }],
  ['http://192.168.1.2:8000/a.GGUF?x=1', { kind: 'url', url: 'http://192.168.1.2:8000/a.GGUF?x=1' }],
  ['https://example.org/m/model.safetensors', { kind: 'url', url: 'https://example.org/m/model.safetensors' }],
  ['example.org/models/old/a.gguf', { kind: 'url', url: 'https://example.org/models/old/a.gguf' }],
  ['pocket', { kind: 'pocket' }],
];

describe('forms that name a model', () => {
  test.each(FORMS)('%s', (text, address) => {
    expect(parseAddress(text)).toEqual(address);
  });

  test.each(FORMS.filter(([, { kind }]) => kind === 'hub'))('%s is read back as it is written', (_, address) => {
    expect(parseAddress(formatAddress(address))).toEqual(address);
  });

  test('links to a hub of one’s own, also under a path', () => {
    const hub = 'http://localhost:5180';
    expect(parseAddress('http://localhost:5180/Qwen/Qwen3-0.6B', { hub })).toEqual(qwen);
    expect(parseAddress('https://huggingface.co/Qwen/Qwen3-0.6B', { hub })).toEqual(qwen);
    expect(parseAddress('https://corp.example/hf/Qwen/Qwen3-0.6B', { hub: 'https://corp.example/hf' })).toEqual(qwen);
  });
});

const REFUSED: readonly (readonly [text: string, says: RegExp])[] = [
  ['', /Nothing was given/],
  ['   ', /Nothing was given/],
  ['gpt2', /without its publisher/],
  ['llama3.2:1b', /Ollama/],
  ['ollama run llama3.2:1b', /Ollama/],
  ['C:\\models\\a.gguf', /Choose the file/],
  ['/home/me/a.gguf', /Choose the file/],
  ['./a.gguf', /Choose the file/],
  ['~/a.gguf', /Choose the file/],
  ['file:///home/me/a.gguf', /Choose the file/],
  ['ftp://example.org/a.gguf', /«ftp:»/],
  ['a nice small model', /spaces/],
  ['https://huggingface.co', /the hub itself/],
  ['https://huggingface.co/Qwen', /a publisher/],
  ['https://huggingface.co/datasets/me/data', /a dataset/],
  ['datasets/data', /a dataset/],
  ['https://huggingface.co/spaces/me/app', /a Space/],
  ['https://huggingface.co/papers/1234.5678', /a paper/],
  ['https://huggingface.co/Qwen/%', /%/],
  ['https://example.org/', /no GGUF or safetensors/],
  ['https://example.org/model.bin', /no GGUF or safetensors/],
  ['https://github.com/Qwen/Qwen3', /github.com/],
  ['https://', /not a whole address/],
  ['https://me:secret@example.org/a.gguf', /password/],
  ['Qwen/../Qwen', /no address/],
  ['Qwen/', /without its publisher|no address/],
];

describe('what is none is told with what to do', () => {
  test.each(REFUSED)('%s', (text, says) => {
    expect(() => parseAddress(text)).toThrow(StoreError);
    expect(() => parseAddress(text)).toThrow(says);
  });
});
