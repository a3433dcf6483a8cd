/** Lists what the handlers are measured with, and their bounds. Pure. */

/** The servers, in the order in which they are measured. All of them copy, with one queue. */
export const SERVERS = ['C', 'null', 'ram.ts', 'later.ts'] as const;
export type ServerName = (typeof SERVERS)[number];

export interface HandlersRow {
  readonly name: string;
  readonly direction: 'read' | 'write';
  readonly blockSize: string;
  readonly depth: number;
  readonly requests: number;
  /** The least of what a second has to bring of the requests that it brings with C: null where the row is not judged. */
  readonly least: { readonly 'ram.ts': number; readonly 'later.ts': number } | null;
}

const AT_1 = { 'ram.ts': 0.85, 'later.ts': 0.45 };
const AT_32 = { 'ram.ts': 0.85, 'later.ts': 0.5 };

export const HANDLERS_ROWS: readonly HandlersRow[] = [
  row('QD 1 4k read', 8000, AT_1),
  row('QD 1 4k write', 8000, AT_1),
  row('QD 32 4k read', 20_000, AT_32),
  row('QD 32 4k write', 20_000, AT_32),
];

/** One measured cell, as the guest prints it: a line of JSON. */
export interface HandlersCell {
  readonly server: ServerName;
  readonly row: string;
  /** Instructions of a request: client, kernel and server together. */
  readonly cost: number;
  /** Those of the server's threads, in their process and in the kernel for it. */
  readonly inServer: number;
}

export function isHandlersCell(value: unknown): value is HandlersCell {
  return typeof value === 'object' && value !== null && 'cost' in value && 'inServer' in value;
}

function row(name: string, requests: number, least: HandlersRow['least']): HandlersRow {
  const [, depth = '', blockSize = '', direction = ''] = name.split(' ');
  return {
    name,
    direction: direction === 'read' ? 'read' : 'write',
    blockSize,
    depth: Number(depth),
    requests,
    least,
  };
}
