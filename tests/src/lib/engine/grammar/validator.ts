/** Ajv, an independent judge of what is valid. */
import { oracle } from '../../../../support/oracles';

export interface Validate {
  (value: unknown): boolean;
  readonly errors?: unknown;
}

export interface Validator {
  addSchema(schema: object): void;
  compile(schema: unknown): Validate;
}

type Module<T> = { readonly default: T & { readonly default?: T } };

/** @param draft which of JSON schema's; `items` as a list is a tuple before 2020 */
export async function validator(draft: 'draft7' | '2020'): Promise<Validator> {
  type Construct = new (options: object) => Validator;
  const Ajv = plain(await oracle<Module<Construct>>(draft === 'draft7' ? 'ajv' : 'ajv/dist/2020.js'));
  const addFormats = plain(await oracle<Module<(to: Validator) => void>>('ajv-formats'));
  const ajv = new Ajv({ strict: false, multipleOfPrecision: 6, logger: false });
  addFormats(ajv);
  return ajv;
}

/** CommonJS as `import` gives it: its exports, which hold the default one. */
function plain<T>({ default: exported }: Module<T>): T {
  return exported.default ?? exported;
}
