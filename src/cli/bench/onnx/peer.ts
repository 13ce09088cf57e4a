/** ONNX Runtime's WebGPU provider on the adapter that we time, in a process of its own: two Dawns must not meet. */
import { fork, type ChildProcess } from 'node:child_process';
import { ONNX_WORKER, type PeerAnswer, type PeerQuestion } from './protocol';
import { findRuntime } from './runtime';

export class OnnxPeer {
  #worker: ChildProcess | undefined;
  /** The last that the worker said before it went. */
  #words = '';

  private constructor(readonly version: string) {}

  /** The peer, or why there is none. */
  static find(): OnnxPeer | string {
    const runtime = findRuntime();
    return runtime ? new OnnxPeer(runtime.version) : 'onnxruntime-node is not installed';
  }

  /** Gives up after `timeout` milliseconds; the next question starts a new process. */
  async ask(question: PeerQuestion, timeout: number): Promise<PeerAnswer> {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    return new Promise((resolve) => {
      const settle = (answer: PeerAnswer, dead: boolean): void => {
        clearTimeout(timer);
        worker.removeAllListeners('message').removeAllListeners('exit');
        if (dead) this.close();
        resolve(answer);
      };
      const timer = setTimeout(
        () => settle({ failure: `no answer within ${(timeout / 1000).toFixed(0)} s` }, true),
        timeout,
      );
      worker.once('message', (answer) => settle(answer as PeerAnswer, false));
      worker.once('exit', (code, signal) =>
        settle({ failure: `its process ended (${signal ?? code}): ${this.#words.trim().split('\n').at(-1)}` }, true),
      );
      worker.send(question);
    });
  }

  close(): void {
    this.#worker?.kill('SIGKILL');
    this.#worker = undefined;
  }

  #start(): ChildProcess {
    this.#words = '';
    const worker = fork(process.argv[1]!, ['bench', ONNX_WORKER], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    worker.stderr?.on('data', (text: Buffer) => {
      this.#words = (this.#words + text.toString()).slice(-2000);
    });
    // Whether it ended is what counts; a question finds out.
    worker.on('error', () => undefined);
    return worker;
  }
}
