/** Drawn on 20 x 20, with strokes in the colour of the text around them. */
export const ICONS = {
  plus: 'M10 4v12M4 10h12',
  menu: 'M3.5 6h13M3.5 10h13M3.5 14h8',
  panel:
    'M3.5 5.5a1.5 1.5 0 0 1 1.5-1.5h10a1.5 1.5 0 0 1 1.5 1.5v9a1.5 1.5 0 0 1-1.5 1.5H5a1.5 1.5 0 0 1-1.5-1.5ZM8 4v12',
  search: 'M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM13 13l4 4',
  settings: 'M4 6h6M14 6h2M4 14h2M10 14h6M12 4v4M8 12v4',
  close: 'm5 5 10 10M15 5 5 15',
  more: 'M4.5 10h.01M10 10h.01M15.5 10h.01',
  copy: 'M7.5 7.5V5A1.5 1.5 0 0 1 9 3.5h6A1.5 1.5 0 0 1 16.5 5v6a1.5 1.5 0 0 1-1.5 1.5h-2.5M5 7.5h6A1.5 1.5 0 0 1 12.5 9v6a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 15V9A1.5 1.5 0 0 1 5 7.5Z',
  check: 'm4 10.5 4 4 8-9',
  edit: 'm12.5 4.5 3 3L7 16H4v-3ZM10.5 6.5l3 3',
  again: 'M16 10a6 6 0 1 1-1.8-4.3M16.2 3.2v3.4h-3.4',
  forward: 'm5 4.5 7 5.5-7 5.5ZM15.5 4.5v11',
  remove: 'M4 5.5h12M8 5.5V4h4v1.5M5.5 5.5l.7 10.5h7.6l.7-10.5M8.5 8.5v4.5M11.5 8.5v4.5',
  pin: 'M7 3.5h6M8 3.5 7.5 9 5 11.5h10L12.5 9 12 3.5M10 11.5V17',
  before: 'm12 5-5 5 5 5',
  after: 'm8 5 5 5-5 5',
  down: 'M10 4v11.5M5 10.5l5 5 5-5',
  up: 'M10 16V4.5M5 9.5l5-5 5 5',
  away: 'M11.5 4H16v4.5M16 4l-7 7M13.5 11.5V15a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 15V8A1.5 1.5 0 0 1 5 6.5h3.5',
  fold: 'm6 8 4 4 4-4',
  pause: 'M7 5v10M13 5v10',
  play: 'm7 4.5 8.5 5.5L7 15.5Z',
  keys: 'M3.5 6h13v8h-13ZM6 8.5h.01M8.7 8.5h.01M11.3 8.5h.01M14 8.5h.01M7 11.5h6',
} as const;

export type IconName = keyof typeof ICONS;
