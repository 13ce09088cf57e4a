/** Which tensors of a file a model is made of: checked before the first byte of weights is read. */
import { tensorTypeInfo } from '../formats/blocks';
import type { TensorType } from '../formats/blocks';
import { canDequantise, DEQUANTISED } from '../formats/dequantise';
import type { ModelConfig } from '../formats/model';
import { layerRoles, modelRoles, roleOf, shapeOf } from '../formats/roles';
import type { LayerRole, ModelRole, TensorRole } from '../formats/roles';
import { ArgumentError, formatShape } from '../device';

/** A tensor as a file's header describes it; shapes are row-major, outermost first. */
export interface TensorDescription {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
}

/** Tensors by their part: all that the configuration asks for, no others. */
export type Tensors<Role extends string> = ReadonlyMap<Role, TensorDescription>;

/** A model's tensors by their part in it. */
export interface ModelTensors {
  readonly model: Tensors<ModelRole>;
  readonly layers: readonly Tensors<LayerRole>[];
}

/** Tensors that files bring along and nobody needs: masks and frequencies that follow from the configuration. */
const NEEDLESS = /(rotary_emb\.inv_freq|attention\.(masked_)?bias)$/;

/** Throws an ArgumentError that names every tensor that is missing, unknown, or of another shape than the model's. */
export function tensorsOf(config: ModelConfig, tensors: Iterable<TensorDescription>): ModelTensors {
  const wanted = { model: modelRoles(config), layer: layerRoles(config) };
  const found = new Map<string, TensorDescription>();
  const unknown: string[] = [];
  for (const tensor of tensors) {
    const role = roleOf(config.architecture, tensor.name);
    const known = role && (role.layer === undefined ? wanted.model : wanted.layer).some((one) => one === role.role);
    if (known) found.set(keyOf(role), checked(config, tensor, role));
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
  const embedding = found.get('embedding');
  if (embedding && (config.tiedHead || !found.has('head'))) found.set('head', embedding);
  const missing: string[] = [];
  const all = <Role extends string>(roles: readonly Role[], key: (role: Role) => string): Tensors<Role> => {
    missing.push(...roles.map(key).filter((one) => !found.has(one)));
    return new Map(roles.map((role) => [role, found.get(key(role))!]));
  };
  const model = all(wanted.model, (role) => role);
  const layers = config.layers.map((_, layer) => all(wanted.layer, (role) => `${layer}.${role}`));
  if (missing.length > 0) {
    const whole = `all parts of the model's ${layers.length} layers`;
    throw new ArgumentError('tensors', `none for ${list(missing)}`, whole);
  }
  return { model, layers };
}

function list(names: readonly string[]): string {
  return names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;
}

export function keyOf({ role, layer }: TensorRole): string {
  return layer === undefined ? role : `${layer}.${role}`;
}

function checked(config: ModelConfig, tensor: TensorDescription, { role, layer }: TensorRole): TensorDescription {
  const wanted = shapeOf(config, role);
  if (layer !== undefined && layer >= config.layers.length) {
    throw new ArgumentError(tensor.name, `a tensor of layer ${layer}`, `layers below ${config.layers.length}`);
  }
  if (tensor.shape.join() !== wanted.join()) {
    throw new ArgumentError(tensor.name, formatShape(tensor.shape), formatShape(wanted));
  }
  if (!canDequantise(tensor.type)) {
    throw new ArgumentError(tensor.name, `a tensor of type ${tensor.type}`, `one of ${DEQUANTISED.join(', ')}`);
  }
  return tensor;
}

/** Bytes of the tensor in its file. */
export function fileBytes({ type, shape }: TensorDescription): number {
  const { blockElements, blockBytes } = tensorTypeInfo(type);
  return (shape.reduce((size, extent) => size * extent, 1) / blockElements) * blockBytes;
}
