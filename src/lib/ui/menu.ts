import type { IconName } from './icons';

/** One thing to do, in a menu. */
export interface MenuItem {
  readonly icon: IconName;
  readonly name: string;
  readonly act: () => void;
}
