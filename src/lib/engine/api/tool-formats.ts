/**
 * How models write the tools they want to be called, by family, as data: what begins calls in an answer, what ends them,
 * and how a forced one is spelt. Which format a model has its chat template tells.
 */
import type { ToolFormatName } from '../protocol';

export interface ToolFormat {
  /** What begins a call, or a list of them. */
  readonly begins: readonly string[];
  /** What may stand after a call, and means nothing. */
  readonly ends: readonly string[];
  /** A whole answer that is an object, or a list of them, is a call where it has a name and arguments. */
  readonly bare: boolean;
  /** Calls begin an answer, or there are none in it: what looks like one in JSON that was asked for is text. */
  readonly atStart?: boolean;
  /** What a template writes that knows this format. */
  readonly marks: readonly string[];
  /** How calls are written when they are forced. */
  readonly forced: {
    readonly open: string;
    readonly between: string;
    readonly close: string;
    readonly call: (name: string) => { readonly begin: string; readonly end: string };
  };
  /** Letters and digits of a call's id. */
  readonly idLength: number;
}

/** `{"name": "get_weather", "arguments": `, and `}` */
const object =
  (key: string, before = '', after = ''): ToolFormat['forced']['call'] =>
  (name) => ({ begin: `${before}{"name": ${JSON.stringify(name)}, "${key}": `, end: `}${after}` });

export const TOOL_FORMATS: Readonly<Record<ToolFormatName, ToolFormat>> = {
  hermes: {
    begins: ['<tool_call>'],
    ends: ['</tool_call>'],
    bare: false,
    marks: ['<tool_call>'],
    forced: { open: '', between: '\n', close: '', call: object('arguments', '<tool_call>\n', '\n</tool_call>') },
    idLength: 24,
  },
  mistral: {
    begins: ['[TOOL_CALLS]'],
    ends: [],
    bare: false,
    marks: ['[TOOL_CALLS]'],
    forced: { open: '[TOOL_CALLS][', between: ', ', close: ']', call: object('arguments') },
    // Its templates refuse any other length.
    idLength: 9,
  },
  llama3: {
    begins: ['<|python_tag|>'],
    ends: ['<|eom_id|>'],
    bare: true,
    marks: ['<|python_tag|>', 'Environment: ipython'],
    forced: { open: '', between: '; ', close: '', call: object('parameters') },
    idLength: 24,
  },
  phi: {
    begins: ['<|tool_call|>', 'functools'],
    ends: ['<|/tool_call|>'],
    bare: true,
    marks: ['<|tool_call|>', '<|tool|>', 'functools'],
    forced: { open: '<|tool_call|>[', between: ', ', close: ']<|/tool_call|>', call: object('arguments') },
    idLength: 24,
  },
};

/** As much of a chat template as this needs: whoever depends on the library gets these types, and no template's. */
interface ToolTemplate {
  readonly supports: { readonly tools: boolean };
  mentions(text: string): boolean;
}

const NAMES = Object.keys(TOOL_FORMATS) as ToolFormatName[];

/** A template that takes tools and writes them in no way that is known here is taken for Hermes', the most common. */
export function toolFormatOf(template: ToolTemplate): ToolFormatName | undefined {
  if (!template.supports.tools) return undefined;
  return NAMES.find((name) => TOOL_FORMATS[name].marks.some((mark) => template.mentions(mark))) ?? 'hermes';
}

/** Control tokens that a forced call may need. */
export const TOOL_MARKS: ReadonlySet<string> = new Set(
  Object.values(TOOL_FORMATS).flatMap(({ begins, ends }) => [...begins, ...ends]),
);
