/** The host's wishes for how the frame looks, as the app's own custom properties. */
import { isLook, LOOK, type LookName, type WidgetSettings } from '../protocol';

/** Where one colour of the theme was changed, the ones between are mixed anew. */
const PROPERTIES: Readonly<Record<LookName, Readonly<Record<string, string>>>> = {
  accent: {
    '--ember': '$',
    '--on-ember': 'oklch(from $ clamp(0.2, (0.64 - l) * 1000, 0.99) 0.02 h)',
    '--ember-glow': 'oklch(from $ l c h / 0.35)',
  },
  'on-accent': { '--on-ember': '$' },
  background: {
    '--paper': '$',
    '--raised': 'color-mix(in oklch, $, var(--ink) 2%)',
    '--sunken': 'color-mix(in oklch, $, var(--ink) 4%)',
    '--hover': 'color-mix(in oklch, $, var(--ink) 8%)',
    '--line': 'color-mix(in oklch, $, var(--ink) 14%)',
  },
  surface: { '--raised': '$' },
  text: { '--ink': '$', '--ash': 'color-mix(in oklch, $ 72%, var(--paper))' },
  muted: { '--ash': '$' },
  border: { '--line': '$', '--edge': 'color-mix(in oklch, $ 60%, var(--ink))' },
  radius: { '--radius': '$' },
  font: { '--sans': '$' },
};

const NAMES = Object.keys(LOOK) as LookName[];

export function applyLook(root: HTMLElement, { theme, direction, look }: WidgetSettings): void {
  root.dir = direction;
  root.style.colorScheme = theme === 'auto' ? '' : theme;
  const wanted = new Map<string, string>();
  for (const name of NAMES) {
    const value = look[name];
    if (value === undefined || !isLook(name, value)) continue;
    for (const [property, form] of Object.entries(PROPERTIES[name]))
      wanted.set(
        property,
        form.replaceAll('$', () => value),
      );
  }
  for (const property of new Set(NAMES.flatMap((name) => Object.keys(PROPERTIES[name])))) {
    const value = wanted.get(property);
    if (value === undefined) root.style.removeProperty(property);
    else root.style.setProperty(property, value);
  }
}
