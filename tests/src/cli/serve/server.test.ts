/** `fireside serve` without a model: who may ask, what is too much, and that nobody's going leaves anything behind. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { readServe } from '../../../../src/cli/commands/serve';
import { chat, codeOf, send, serveScripted, type Served } from './support';

const open: Served[] = [];
afterEach(async () => {
  for (const serving of open.splice(0)) await serving.close();
});

async function serve(options?: Parameters<typeof serveScripted>[0]): Promise<Served> {
  const serving = await serveScripted(options);
  open.push(serving);
  return serving;
}

const slowly = (): Promise<void> => new Promise((done) => setTimeout(done, 5));

test('it answers, whole and in parts', async () => {
  const { port } = await serve();
  expect(JSON.parse((await chat(port)).body)).toMatchObject({ choices: [{ message: { content: 'Hello' } }] });
  const streamed = await chat(port, { stream: true });
  expect(streamed.headers['content-type']).toMatch(/^text\/event-stream/);
  expect(streamed.body).toMatch(/data: \[DONE\]\n\n$/);
});

test('under a name that is not its own it answers nobody', async () => {
  const { port } = await serve({ hosts: ['home.example'] });
  const named = async (Host: string): Promise<number> => (await send(port, { headers: { Host } })).status;
  expect(await named(`localhost:${port}`)).toBe(200);
  expect(await named('[::1]')).toBe(200);
  expect(await named('home.example')).toBe(200);
  expect(await named('evil.example')).toBe(421);
  expect(await named('192.168.1.2')).toBe(421);
  const { port: everywhere } = await serve({ open: true });
  expect((await send(everywhere, { headers: { Host: '192.168.1.2:80' } })).status).toBe(200);
  expect((await send(everywhere, { headers: { Host: 'evil.example' } })).status).toBe(421);
});

test('pages of other origins may not ask, unless they are named', async () => {
  const { port, engine } = await serve({ origins: ['https://friend.example'] });
  const from = (Origin: string) => chat(port, {}, { headers: { Origin } });
  expect(codeOf(await from('https://evil.example'))).toEqual([403, 'origin_not_allowed']);
  expect(codeOf(await from('null'))).toEqual([403, 'origin_not_allowed']);
  expect(engine.asked).toEqual([]);
  expect((await from(`http://127.0.0.1:${port}`)).status).toBe(200);
  const friend = await from('https://friend.example');
  expect(friend.headers['access-control-allow-origin']).toBe('https://friend.example');
  const asked = { path: '/v1/chat/completions', method: 'OPTIONS' };
  expect((await send(port, { ...asked, headers: { Origin: 'https://friend.example' } })).status).toBe(204);
  expect((await send(port, { ...asked, headers: { Origin: 'https://evil.example' } })).status).toBe(403);
});

test('a token is asked for where there is one', async () => {
  const { port } = await serve({ token: 'secret' });
  expect(codeOf(await chat(port))).toEqual([401, 'invalid_api_key']);
  expect(codeOf(await chat(port, {}, { headers: { Authorization: 'Bearer secre' } }))).toEqual([
    401,
    'invalid_api_key',
  ]);
  expect((await chat(port, {}, { headers: { Authorization: 'Bearer secret' } })).status).toBe(200);
});

test('bad input gets clean errors', async () => {
  const { port, engine } = await serve({ mostBytes: 1000 });
  expect(codeOf(await chat(port, {}, { body: '{"model":' }))).toEqual([400, 'invalid_json']);
  expect(codeOf(await chat(port, { messages: 'Hi' }))).toEqual([400, 'invalid_type']);
  expect(codeOf(await chat(port, {}, { headers: { 'Content-Type': 'text/plain' } }))).toEqual([
    415,
    'unsupported_media_type',
  ]);
  expect(codeOf(await chat(port, {}, { body: 'x'.repeat(100_000) }))).toEqual([413, 'body_too_large']);
  expect(codeOf(await chat(port, {}, { body: ' '.repeat(5000), headers: { 'Transfer-Encoding': 'chunked' } }))).toEqual(
    [413, 'body_too_large'],
  );
  expect(codeOf(await send(port, { path: '/v1/nothing' }))).toEqual([404, 'not_found']);
  expect(codeOf(await send(port, { path: '//' }))).toEqual([404, 'not_found']);
  expect(codeOf(await send(port, { path: '/v1/models', method: 'DELETE' }))).toEqual([405, 'method_not_allowed']);
  expect((await send(port, { path: '/v1/models', headers: { 'X-Long': 'x'.repeat(20_000) } })).status).toBe(431);
  expect(engine.asked).toEqual([]);
});

test('whoever sends too slowly is not waited for', async () => {
  const { port } = await serve({ patience: { headers: 100, whole: 200 } });
  const socket = connect(port, '127.0.0.1');
  socket.write(
    'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
  );
  const told = await new Promise<string>((done) => {
    let text = '';
    socket.on('data', (part: Buffer) => (text += part.toString()));
    socket.on('close', () => done(text));
  });
  expect(told).toMatch(/^HTTP\/1\.1 408/);
});

test('200 at once: as many as there are places are answered, the others are told so', async () => {
  const { port, engine } = await serve({ mostWaiting: 20 });
  engine.pause = slowly;
  const told = await Promise.all(Array.from({ length: 200 }, () => chat(port)));
  const answered = told.filter(({ status }) => status === 200).length;
  expect(answered).toBeGreaterThanOrEqual(21);
  expect(told.filter(({ status }) => status === 429)).toHaveLength(200 - answered);
  expect(engine.mostRunning).toBe(1);
});

test('whoever leaves gives the place back', async () => {
  const { port, engine } = await serve();
  engine.pieces = Array.from({ length: 10_000 }, () => 'x');
  engine.pause = slowly;
  const leaving = new AbortController();
  const left = Array.from({ length: 5 }, (_, i) => chat(port, { stream: i % 2 === 0 }, { signal: leaving.signal }));
  await expect.poll(() => engine.running).toBe(1);
  leaving.abort();
  for (const one of left) await expect(one).rejects.toThrow();
  await expect.poll(() => engine.running).toBe(0);
  engine.pieces = ['Hello'];
  expect((await chat(port)).status).toBe(200);
});

test('an answer that takes too long is ended', async () => {
  const { port, engine } = await serve({ timeout: 50 });
  engine.pieces = Array.from({ length: 10_000 }, () => 'x');
  engine.pause = slowly;
  expect(codeOf(await chat(port))).toEqual([504, 'timeout']);
  expect((await chat(port, { stream: true })).body).toMatch(/data: \{"error":\{"message":"The answer took longer/);
});

test('closing ends what is under way, and waits for nobody who has nothing to ask', async () => {
  const serving = await serveScripted();
  const silent = connect(serving.port, '127.0.0.1');
  await once(silent, 'connect');
  serving.engine.pieces = Array.from({ length: 10_000 }, () => 'x');
  serving.engine.pause = slowly;
  const streamed = chat(serving.port, { stream: true });
  await expect.poll(() => serving.engine.running).toBe(1);
  const start = performance.now();
  await serving.close();
  expect(performance.now() - start).toBeLessThan(1000);
  expect((await streamed).body).toContain('"error"');
  await expect(chat(serving.port)).rejects.toThrow();
});

test('the app is at «/», and needs no token', async () => {
  const app = mkdtempSync(join(tmpdir(), 'fireside-app-'));
  writeFileSync(join(app, 'index.html'), '<p>app</p>');
  const { port } = await serve({ app, token: 'secret' });
  expect(await send(port, { path: '/' })).toMatchObject({ status: 200, body: '<p>app</p>' });
  expect((await send(port, { path: '/', headers: { Host: 'evil.example' } })).status).toBe(421);
  expect((await send(port, { path: '/v1/models' })).status).toBe(401);
  rmSync(app, { recursive: true });
});

test('the command line is read and checked', () => {
  const env = { TOKEN: 'secret' };
  expect(readServe(['--model', 'm'], env)).toMatchObject({
    host: '127.0.0.1',
    port: 8642,
    open: false,
    token: undefined,
  });
  expect(readServe(['--model', 'm', '--host', '0.0.0.0', '--token-env', 'TOKEN'], env)).toMatchObject({
    open: true,
    token: 'secret',
  });
  expect(() => readServe(['--model', 'm', '--token-env', 'NONE'], env)).toThrow('NONE');
  expect(() => readServe(['--model', 'm', '--allow-origin', 'example.com/x'], env)).toThrow('--allow-origin');
  expect(() => readServe(['--model', 'm', '--port', '70000'], env)).toThrow('--port');
});
