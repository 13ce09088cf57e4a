/** Which tensors of a file a model is made of: checked before the first byte of weights is read. */
import { tensorTypeInfo } from '../formats/blocks';
import type { TensorType } from '../formats/blocks';
import { canDequantise } from '../formats/dequantise';
import { roleOf, shapeOf } from '../formats/model';
import type { LayerRole, ModelConfig, ModelRole, TensorRole } from '../formats/model';
import { ArgumentError, formatShape } from '../device';

/** A tensor as a file's header describes it; shapes are row-major, outermost first. */
export interface TensorDescription {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
}

/** A model's tensors by their part in it. */
export interface ModelTensors {
  readonly model: Readonly<Record<ModelRole, TensorDescription>>;
  readonly layers: readonly Readonly<Record<LayerRole, TensorDescription>>[];
}

const MODEL_ROLES: readonly ModelRole[] = ['embedding', 'finalNorm', 'head'];
const LAYER_ROLES: readonly LayerRole[] = ['attnNorm', 'q', 'k', 'v', 'o', 'ffnNorm', 'gate', 'up', 'down'];

/** Tensors that files bring along and nobody needs: masks and frequencies that follow from the configuration. */
const NEEDLESS = /(rotary_emb\.inv_freq|attention\.(masked_)?bias|rope_freqs\.weight)$/;

/** Throws an ArgumentError that names every tensor that is missing, unknown, or of another shape than the model's. */
export function tensorsOf(config: ModelConfig, tensors: Iterable<TensorDescription>): ModelTensors {
  const found = new Map<string, TensorDescription>();
  const unknown: string[] = [];
  for (const tensor of tensors) {
    const role = roleOf(tensor.name);
    if (role) found.set(keyOf(role), checked(config, tensor, role));
    else if (!NEEDLESS.test(tensor.name)) unknown.push(tensor.name);
  }
  // A bias that is left out, say, would change every answer and nobody would know why.
  if (unknown.length > 0) {
    throw new ArgumentError(
      'tensors',
      list(unknown),
      `only those that a model of the ${config.architecture} family has`,
    );
  }
  // A file may repeat the embedding as a head that the configuration says is shared.
  if (config.tiedHead || !found.has('head')) take(found, 'embedding', (tensor) => found.set('head', tensor));
  const missing: string[] = [];
  const need = (key: string): TensorDescription => take(found, key, (tensor) => tensor) ?? absent(missing, key);
  const model = Object.fromEntries(MODEL_ROLES.map((role) => [role, need(role)])) as ModelTensors['model'];
  const layers = Array.from(
    { length: config.layers },
    (_, layer) =>
      Object.fromEntries(LAYER_ROLES.map((role) => [role, need(`${layer}.${role}`)])) as ModelTensors['layers'][number],
  );
  if (missing.length > 0) {
    throw new ArgumentError('tensors', `none for ${list(missing)}`, `all parts of the model's ${config.layers} layers`);
  }
  return { model, layers };
}

function take<T>(found: Map<string, TensorDescription>, key: string, use: (t: TensorDescription) => T): T | undefined {
  const tensor = found.get(key);
  return tensor && use(tensor);
}

function absent(missing: string[], key: string): TensorDescription {
  missing.push(key);
  return { name: '', type: 'F32', shape: [] };
}

function list(names: readonly string[]): string {
  return names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;
}

export function keyOf({ role, layer }: TensorRole): string {
  return layer === undefined ? role : `${layer}.${role}`;
}

function checked(config: ModelConfig, tensor: TensorDescription, { role, layer }: TensorRole): TensorDescription {
  const wanted = shapeOf(config, role);
  if (layer !== undefined && layer >= config.layers) {
    throw new ArgumentError(tensor.name, `a tensor of layer ${layer}`, `layers below ${config.layers}`);
  }
  if (tensor.shape.join() !== wanted.join()) {
    throw new ArgumentError(tensor.name, formatShape(tensor.shape), formatShape(wanted));
  }
  if (!canDequantise(tensor.type)) {
    throw new ArgumentError(tensor.name, `a tensor of type ${tensor.type}`, 'a type that can be computed with');
  }
  return tensor;
}

/** Bytes of the tensor in its file. */
export function fileBytes({ type, shape }: TensorDescription): number {
  const { blockElements, blockBytes } = tensorTypeInfo(type);
  return (shape.reduce((size, extent) => size * extent, 1) / blockElements) * blockBytes;
}
