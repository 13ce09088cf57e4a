/** Weights on the GPU: layouts, matrices, and what fills them from a file's blocks. */
export { bytesPerWeight, LAYOUTS, layoutConditions, layoutConstants, layoutOf, MATRIX_TYPES, typeOf } from './layouts';
export type { Layout, LayoutName } from './layouts';
export { Matrix, MatrixWriter, requireLayout } from './matrix';
export type { MatrixPart, Section } from './matrix';
export { quantisedLayout } from './quantise';
export { repackSpec } from './repack';
export { quantSources } from './shaders';
