/** What whoever runs this app allows to pages that embed it: `widget.json`, beside the app, for them to edit. */
import * as v from 'valibot';

export interface Deployer {
  /** Origins that may show the widget; `*`: any. */
  readonly hosts: readonly string[];
  /** Origins that may be told what is said, where they ask for it. */
  readonly shareMessages: readonly string[];
}

const ANY = '*';

const origin = v.pipe(
  v.string(),
  v.check(
    (text) => URL.canParse(text) && new URL(text).origin === text,
    'expected an origin, such as https://shop.example',
  ),
);
const deployer: v.GenericSchema<unknown, Deployer> = v.strictObject({
  hosts: v.array(v.union([v.literal(ANY), origin])),
  shareMessages: v.array(origin),
});

/** Rejects where the file is not as it should be: nothing is allowed by accident. */
export async function readDeployer(address: string): Promise<Deployer> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status} ${response.statusText}`);
  const { success, output, issues } = v.safeParse(deployer, await response.json());
  if (success) return output;
  throw new Error(`${address}: ${v.getDotPath(issues[0]) ?? 'the file'}: ${issues[0].message}`);
}

/** @param host its origin, as the browser tells it */
export function mayShow({ hosts }: Deployer, host: string, own: string): boolean {
  return host === own || hosts.includes(ANY) || hosts.includes(host);
}

/** Never to pages without an origin: anybody may be one. */
export function mayRead({ shareMessages }: Deployer, host: string): boolean {
  return shareMessages.includes(host);
}
