/** The script of the one tag, `widget.js`: defines the element, with the app that the script came from. */
import { defineFiresideChat } from './index';

// In two steps: Vite takes `new URL(..., import.meta.url)` for a file to pack.
const script = import.meta.url;
defineFiresideChat({ app: new URL('.', script).href });
