/**
 * Whether the device lives, and whether its answers can be trusted: loss, uncaptured errors, guards, and who is told.
 */
import { GpuLostError, OutOfMemoryError, ValidationError } from './errors';
import type { GpuError } from './errors';
import { GpuEventTarget } from './events';
import { Guards } from './guards';

export class Health {
  readonly events = new GpuEventTarget();
  readonly guards = new Guards((error) => {
    this.#announce(error);
  });
  /** Resolves when the device is gone, for whatever reason. Never rejects. */
  readonly lost: Promise<GpuLostError>;

  #loss: GpuLostError | undefined;
  #resolveLost!: (loss: GpuLostError) => void;
  readonly #stopListening: () => void;

  constructor(
    device: GPUDevice,
    private readonly usedBytes: () => number,
    private readonly onLoss: () => void,
  ) {
    this.lost = new Promise((resolve) => (this.#resolveLost = resolve));
    const onError = (event: GPUUncapturedErrorEvent): void => {
      event.preventDefault();
      this.guards.fail(this.#fromWebGpu(event.error));
    };
    device.addEventListener('uncapturederror', onError);
    // Dawn in Node never lets go of a listener, nor of all it refers to, unless it is taken off.
    this.#stopListening = () => {
      device.removeEventListener('uncapturederror', onError);
    };
    void device.lost.then(({ reason, message }) => {
      this.lose(new GpuLostError(reason === 'destroyed' ? 'destroyed' : 'unknown', lossMessage(message)));
    });
  }

  get loss(): GpuLostError | undefined {
    return this.#loss;
  }

  requireAlive(): void {
    if (this.#loss) throw this.#loss;
  }

  /** The first loss counts. */
  lose(loss: GpuLostError): void {
    if (this.#loss) return;
    this.#loss = loss;
    this.guards.close();
    this.onLoss();
    this.events.emit('lost', loss);
    this.#resolveLost(loss);
    this.events.clear();
    this.#stopListening();
  }

  /** What rejects because the device is gone, rejects with that. */
  async orLost<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw this.#loss ?? error;
    }
  }

  #fromWebGpu(error: GPUError): GpuError {
    // By name, since Node has no such globals.
    if (error.constructor.name === 'GPUOutOfMemoryError') {
      return new OutOfMemoryError(0, this.usedBytes(), `Out of GPU memory: ${error.message}`);
    }
    return new ValidationError(error.message);
  }

  #announce(error: GpuError): void {
    if (error instanceof OutOfMemoryError) this.events.emit('outOfMemory', error);
    else this.events.emit('error', error);
  }
}

function lossMessage(message: string): string {
  return (
    `The GPU was lost${message ? `: ${message}` : ''}. Another program may have crashed its driver, or memory ran out; ` +
    'open it again, perhaps with a smaller model.'
  );
}
