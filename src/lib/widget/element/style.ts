/**
 * The look of what stands in the host's page. An adopted style sheet, so that no policy for styles stands in its way;
 * `!important` on `:host`, since in there it wins over whatever the page says of elements like ours.
 */
const CSS_TEXT = `
:host {
  all: initial !important;
  display: contents !important;
  color-scheme: light dark !important;
  --accent: var(--fireside-accent, oklch(68% 0.17 45));
  /* Light on dark accents, dark on light ones. */
  --on-accent: var(--fireside-on-accent, oklch(from var(--accent) clamp(0.2, (0.64 - l) * 1000, 0.99) 0.02 h));
  --radius: var(--fireside-radius, 16px);
  --edge: var(--fireside-offset, 20px);
  --layer: var(--fireside-z-index, 2147483000);
}

:host([theme='light']) { color-scheme: light !important; }
:host([theme='dark']) { color-scheme: dark !important; }
:host([hidden]) { display: none !important; }
:host([mode='inline']) { display: block !important; }

.button {
  box-sizing: border-box;
  position: fixed;
  z-index: var(--layer);
  inset-block-end: calc(var(--edge) + env(safe-area-inset-bottom, 0px));
  inset-inline-end: var(--edge);
  display: grid;
  place-items: center;
  inline-size: 56px;
  block-size: 56px;
  margin: 0;
  padding: 0;
  border: 0;
  border-radius: 50%;
  background: var(--accent);
  color: var(--on-accent);
  box-shadow: 0 8px 24px -6px oklch(20% 0.02 60 / 0.45);
  cursor: pointer;
  -webkit-tap-highlight-color: transparent;
}

.button:hover { box-shadow: 0 10px 28px -6px oklch(20% 0.02 60 / 0.6); }

.button:focus-visible, .panel:focus-visible {
  outline: 3px solid var(--on-accent);
  box-shadow: 0 0 0 6px var(--accent);
}

.button svg { grid-area: 1 / 1; fill: currentcolor; }
.button .cross { fill: none; stroke: currentcolor; stroke-width: 2.2; stroke-linecap: round; opacity: 0; }
.button[aria-expanded='true'] .mark { opacity: 0; }
.button[aria-expanded='true'] .cross { opacity: 1; }

.panel {
  box-sizing: border-box;
  overflow: hidden;
  margin: 0;
  padding: 0;
  border: 1px solid light-dark(oklch(25% 0.02 60 / 0.12), oklch(92% 0.01 80 / 0.14));
  border-radius: var(--radius);
  background: var(--fireside-background, light-dark(oklch(98% 0.008 80), oklch(18% 0.01 40)));
}

:host(:not([mode='inline'])) .panel {
  position: fixed;
  z-index: var(--layer);
  inset-block: auto calc(var(--edge) + 72px + env(safe-area-inset-bottom, 0px));
  inset-inline: auto var(--edge);
  inline-size: min(var(--fireside-width, 400px), calc(100vw - 2 * var(--edge)));
  block-size: min(var(--fireside-height, 640px), calc(100dvh - 2 * var(--edge) - 72px));
  max-inline-size: none;
  max-block-size: none;
  box-shadow: 0 24px 64px -16px oklch(15% 0.02 60 / 0.45), 0 2px 8px oklch(15% 0.02 60 / 0.1);
}

:host([position='start']:not([mode='inline'])) :is(.button, .panel) { inset-inline: var(--edge) auto; }

:host([mode='inline']) .panel {
  position: static;
  display: block;
  inline-size: var(--fireside-width, 100%);
  block-size: var(--fireside-height, 560px);
  max-inline-size: 100%;
}

.panel::backdrop { background: transparent; }

.frame {
  display: block;
  inline-size: 100%;
  block-size: 100%;
  border: 0;
  color-scheme: inherit;
}

.problem {
  display: grid;
  place-content: center;
  block-size: 100%;
  margin: 0;
  padding: 24px;
  color: light-dark(oklch(25% 0.02 60), oklch(92% 0.01 80));
  font: 15px/1.5 system-ui, sans-serif;
  text-align: center;
  overflow-wrap: anywhere;
}

/* A phone gives it the whole screen, and the frame brings the button that closes. */
@media (max-width: 480px), (max-height: 420px) {
  :host(:not([mode='inline'])) .panel {
    inset: 0 !important;
    inline-size: 100vw;
    block-size: 100dvh;
    border: 0;
    border-radius: 0;
  }
}

@media (prefers-reduced-motion: no-preference) {
  :host(:not([mode='inline'])) .panel[open] { animation: rise 160ms ease-out; }
  .button { transition: box-shadow 150ms ease-out; }
  .button svg { transition: opacity 150ms ease-out; }
  @keyframes rise { from { opacity: 0; translate: 0 12px; } }
}

@media (forced-colors: active) {
  .button { border: 2px solid ButtonText; }
}
`;

let sheet: CSSStyleSheet | undefined;

/** One for all widgets of a page. */
export function styleSheet(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS_TEXT);
  }
  return sheet;
}
