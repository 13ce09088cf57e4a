/**
 * A server tells thoughts and calls of tools apart from the text; a model on this device writes all of it as text. Here
 * the parts become such text again, with Hermes' marks, so that whoever reads answers reads them the same way.
 */
import { TOOL_FORMATS } from '../api/tool-formats';
import type { Delta } from './deltas';

const { call: callMarks } = TOOL_FORMATS.hermes.forced;

export class Writer {
  #place: 'text' | 'thought' | 'call' = 'text';
  /** The call that is open: its number, what closes it, and whether it has arguments. */
  #call = { index: -1, end: '', begun: false };

  /** What this adds to the answer. */
  push({ thought, text, calls }: Delta): string {
    let written = '';
    if (thought !== '') written += this.#turnTo('thought') + thought;
    if (text !== '') written += this.#turnTo('text') + text;
    for (const { index, name, arguments: given } of calls) {
      if (index !== this.#call.index && name !== '') {
        const { begin, end } = callMarks(name);
        written += this.#turnTo('text') + begin;
        this.#place = 'call';
        this.#call = { index, end, begun: false };
      }
      if (this.#place !== 'call') continue;
      written += given;
      this.#call.begun ||= given !== '';
    }
    return written;
  }

  /** What closes it. */
  finish(): string {
    return this.#turnTo('text');
  }

  #turnTo(place: 'text' | 'thought'): string {
    const from = this.#place;
    if (from === place) return '';
    this.#place = place;
    if (from === 'thought') return '</think>\n\n';
    // Tools without parameters are called without arguments, which are an empty object.
    const closed = from === 'call' ? `${this.#call.begun ? '' : '{}'}${this.#call.end}\n` : '';
    return place === 'thought' ? `${closed}<think>` : closed;
  }
}
