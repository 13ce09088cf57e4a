/** The tag that the builder shows, as text to paste into a page. */
import { LOOK, type LookName } from '../protocol';

/** Attributes by name; what is empty is left out. */
export interface TagParts {
  readonly attributes: Readonly<Record<string, string>>;
  readonly look: Readonly<Partial<Record<LookName, string>>>;
}

/** @param app address of the app, with a slash at its end */
export function tagFor(app: string, { attributes, look }: TagParts): string {
  const given = Object.entries(attributes).filter(([, value]) => value !== '');
  const lines = given.map(([name, value]) => `\n  ${name}="${escaped(value)}"`);
  const rule = styleFor(look);
  const element = `<fireside-chat${lines.join('')}${lines.length > 0 ? '\n' : ''}></fireside-chat>`;
  return [`<script src="${escaped(app)}widget.js" type="module"></script>`, ...(rule ? [rule] : []), element].join(
    '\n',
  );
}

/** What the page's policy has to allow, where it has one. */
export function policyFor(app: string): string {
  const { origin } = new URL(app);
  return `script-src ${origin}; frame-src ${origin}`;
}

function styleFor(look: TagParts['look']): string {
  const rules = (Object.keys(LOOK) as LookName[])
    .map((name) => [name, look[name] ?? ''])
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `  --fireside-${name}: ${value};`);
  return rules.length === 0 ? '' : `<style>\n  fireside-chat {\n  ${rules.join('\n  ')}\n  }\n</style>`;
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;');
}
