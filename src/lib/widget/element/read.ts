/** What the frame says, checked by hand: the element is to be small. Whatever is not as it should be is nothing. */
import { LONGEST_TEXT, PROTOCOL, TOOL_NAME, type Hello, type ToPage } from '../protocol';

type Fields = Readonly<Record<string, unknown>>;

export function isHello(data: unknown): data is Hello {
  return isFields(data) && data.fireside === 'hello' && typeof data.protocol === 'number';
}

/** Why page and frame cannot talk; '' where they can. */
export function mismatch({ protocol }: Hello): string {
  if (protocol === PROTOCOL) return '';
  const older = protocol < PROTOCOL ? 'the app that brings the frame' : 'the script in this page';
  return `The script in this page speaks version ${PROTOCOL} and its frame version ${protocol}: update ${older}.`;
}

export function readToPage(data: unknown): ToPage | undefined {
  if (!isFields(data)) return undefined;
  const detail = isFields(data.detail) ? data.detail : {};
  const holds = ((): boolean => {
    switch (data.type) {
      case 'close':
        return true;
      case 'context':
        return isCount(data.id);
      case 'call':
        return isCount(data.id) && isText(data.name) && TOOL_NAME.test(data.name) && isText(data.args);
      case 'ready':
        return (
          isText(detail.model) &&
          ['gpu', 'cpu', 'server'].includes(detail.path as string) &&
          isCount(detail.context) &&
          typeof detail.tools === 'boolean'
        );
      case 'progress':
        return (
          (detail.phase === 'download' || detail.phase === 'open') && isCount(detail.done) && isCount(detail.total)
        );
      case 'message':
        return (
          (detail.role === 'user' || detail.role === 'assistant') && (detail.text === undefined || isText(detail.text))
        );
      case 'error':
        return isText(detail.code) && isText(detail.message);
      default:
        return false;
    }
  })();
  // Looked at field by field above.
  return holds ? (data as unknown as ToPage) : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_TEXT;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
