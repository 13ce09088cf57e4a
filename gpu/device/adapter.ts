/**
 * From nothing to a GPUDevice: finds WebGPU in a page, a worker or Node, asks for everything useful the adapter has,
 * and explains in words when there is none.
 */
import { LimitError, NoAdapterError, NoWebGpuError } from './errors';
import { LIMIT_NAMES, chooseFeatures, effectiveLimits, readLimits, requestedLimits } from './limits';
import type { Limits, Reduction } from './limits';
import { pollGently } from './polling';

/** One shape that the subgroup-matrix extension multiplies: [M, K] x [K, N] -> [M, N]. */
export interface SubgroupMatrixConfig {
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly componentType: string;
  readonly resultComponentType: string;
}

/** What the adapter says of itself. Browsers leave some of it empty, to give trackers less. */
export interface AdapterSummary {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** A software adapter: right, but slow. */
  readonly isFallback: boolean;
  /** 0 where the browser does not say. */
  readonly subgroupMinSize: number;
  readonly subgroupMaxSize: number;
  readonly subgroupMatrixConfigs: readonly SubgroupMatrixConfig[];
}

/** What a GPU can do that not all can. */
export interface Capabilities {
  readonly f16: boolean;
  readonly subgroups: boolean;
  readonly timestamps: boolean;
  readonly subgroupMatrix: boolean;
}

export interface AdapterOptions {
  /** WebGPU's entry point; default `navigator.gpu`, in Node the npm package `webgpu`. */
  readonly provider?: GPU;
  readonly powerPreference?: GPUPowerPreference;
  readonly reduce?: Reduction;
  /** Flags for Dawn, where the Node package is used without a `provider`. */
  readonly nodeFlags?: readonly string[];
}

export interface OpenedDevice {
  readonly device: GPUDevice;
  readonly info: AdapterSummary;
  /** What our code may use; never more than the device has. */
  readonly limits: Limits;
  readonly features: ReadonlySet<string>;
  readonly has: Capabilities;
  readonly languageFeatures: ReadonlySet<string>;
}

export async function openDevice(options: AdapterOptions): Promise<OpenedDevice> {
  const provider = options.provider ?? (await findProvider(options.nodeFlags));
  const adapter = await requestAdapter(provider, options.powerPreference);
  const offered = readLimits(adapter.limits);
  const limits = effectiveLimits(offered, options.reduce);
  const features = chooseFeatures(adapter.features, options.reduce);
  const device = await requestDevice(adapter, features, limits, offered);
  return {
    device,
    info: summarize(adapter.info),
    limits,
    features: new Set(features),
    has: capabilitiesOf(features),
    languageFeatures: new Set((provider as Partial<GPU>).wgslLanguageFeatures ?? []),
  };
}

// ---- WebGPU's entry point --------------------------------------------------------------------------------------

interface NodeWebGpu {
  create(flags: string[]): GPU;
}

/**
 * Node is no page that could spy on others through a fine clock or an unfinished extension: exact timestamps, and
 * the extensions that Chromium hides behind a flag.
 */
const NODE_FLAGS = ['disable-dawn-features=timestamp_quantization', 'enable-dawn-features=allow_unsafe_apis'];

/** One Dawn instance a set of flags: each costs a driver start, and all its devices share it. */
const nodeProviders = new Map<string, Promise<GPU>>();

async function findProvider(nodeFlags: readonly string[] = NODE_FLAGS): Promise<GPU> {
  const fromNavigator = (globalThis.navigator as Partial<Navigator> | undefined)?.gpu;
  if (fromNavigator) return fromNavigator;
  if (!isNode()) throw new NoWebGpuError(missingInBrowser());
  const key = nodeFlags.join(' ');
  const known = nodeProviders.get(key);
  if (known) return known;
  const provider = loadNodeProvider(nodeFlags);
  nodeProviders.set(key, provider);
  // A failed import is not remembered: the package may be installed while a long-lived program runs.
  provider.catch(() => nodeProviders.delete(key));
  return provider;
}

async function loadNodeProvider(flags: readonly string[]): Promise<GPU> {
  // A name that a bundler cannot follow: browser builds must not try to pack Dawn.
  const packageName = ['web', 'gpu'].join('');
  try {
    const dawn = (await import(/* @vite-ignore */ packageName)) as NodeWebGpu;
    pollGently();
    return dawn.create([...flags]);
  } catch (cause) {
    throw new NoWebGpuError(
      'Node has no WebGPU of its own, and the npm package `webgpu` could not be loaded. Run `npm install webgpu`.',
      { cause },
    );
  }
}

function isNode(): boolean {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  return process?.versions?.node !== undefined;
}

function missingInBrowser(): string {
  if (globalThis.isSecureContext === false) {
    return 'Browsers offer WebGPU to secure pages only: open this page over https, or from http://localhost.';
  }
  return (
    'This browser has no WebGPU. Chrome and Edge have it since 113, Safari since 26, Firefox since 141 on Windows ' +
    'and 145 on macOS; update the browser, or use one of these.'
  );
}

// ---- adapter and device ----------------------------------------------------------------------------------------

async function requestAdapter(provider: GPU, powerPreference?: GPUPowerPreference): Promise<GPUAdapter> {
  let adapter: GPUAdapter | null;
  try {
    adapter = await provider.requestAdapter(powerPreference ? { powerPreference } : {});
  } catch (cause) {
    throw new NoAdapterError(noAdapterMessage(), { cause });
  }
  if (!adapter) throw new NoAdapterError(noAdapterMessage());
  return adapter;
}

function noAdapterMessage(): string {
  if (isNode()) {
    return (
      'WebGPU finds no GPU. Dawn needs a Vulkan driver on Linux (on a machine without a GPU the package ' +
      '`mesa-vulkan-drivers`, version 24 or newer, brings a software one), Metal on macOS, Direct3D 12 on Windows.'
    );
  }
  return (
    'This browser has WebGPU, but offers no GPU: hardware acceleration may be switched off in its settings, the ' +
    'driver may be missing or on its blocklist (chrome://gpu and about:support say so), or all GPUs are in use.'
  );
}

async function requestDevice(
  adapter: GPUAdapter,
  features: readonly string[],
  limits: Limits,
  offered: Limits,
): Promise<GPUDevice> {
  const wanted = requestedLimits(limits);
  try {
    return await adapter.requestDevice({
      label: 'fireside',
      requiredFeatures: features as GPUFeatureName[],
      requiredLimits: wanted,
    });
  } catch (cause) {
    throw refusal(cause, wanted, offered);
  }
}

/** An adapter that promised and then refuses: say which limit, if it is one. */
function refusal(cause: unknown, wanted: Limits, offered: Limits): Error {
  const text = cause instanceof Error ? cause.message : String(cause);
  const limit = LIMIT_NAMES.find((name) => text.includes(name));
  if (limit) return new LimitError(limit, wanted[limit], offered[limit], 'The adapter refused to open a device');
  return new NoAdapterError(
    `The GPU was found, but gave no device (${text}). Closing other tabs that use it may help.`,
    {
      cause,
    },
  );
}

function capabilitiesOf(features: readonly string[]): Capabilities {
  return {
    f16: features.includes('shader-f16'),
    subgroups: features.includes('subgroups'),
    timestamps: features.includes('timestamp-query'),
    subgroupMatrix: features.includes('chromium-experimental-subgroup-matrix'),
  };
}

function summarize(adapterInfo: GPUAdapterInfo): AdapterSummary {
  // Not every browser fills, or even has, all of these.
  const info = adapterInfo as Partial<GPUAdapterInfo> & { subgroupMatrixConfigs?: Iterable<SubgroupMatrixConfig> };
  return {
    vendor: info.vendor ?? '',
    architecture: info.architecture ?? '',
    device: info.device ?? '',
    description: info.description ?? '',
    isFallback: info.isFallbackAdapter ?? false,
    subgroupMinSize: info.subgroupMinSize ?? 0,
    subgroupMaxSize: info.subgroupMaxSize ?? 0,
    subgroupMatrixConfigs: Array.from(info.subgroupMatrixConfigs ?? [], copyOfConfig),
  };
}

/** A plain object: the browser's own does not survive JSON or a message to a page. */
function copyOfConfig({ M, N, K, componentType, resultComponentType }: SubgroupMatrixConfig): SubgroupMatrixConfig {
  return { M, N, K, componentType, resultComponentType };
}
