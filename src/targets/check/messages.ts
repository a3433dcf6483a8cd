/** The messages that the thread of a check sends to its command (thread.ts). */
import { isObject } from '../../kinds.ts';
import type { WireError } from '../../protocol/error-wire.ts';
import type { Finding } from './check.ts';

/** Code of the target is called next: `what` says which, and `seconds` how long it may take. */
export interface Begun {
  readonly kind: 'begun';
  /** The part of the check, as its finding is named. */
  readonly part: string;
  readonly what: string;
  readonly seconds: number;
}

export type CheckMessage =
  | Begun
  | { readonly kind: 'found'; readonly finding: Finding }
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly error: WireError; readonly cause: unknown };

const KINDS: ReadonlySet<unknown> = new Set<CheckMessage['kind']>(['begun', 'found', 'done', 'refused']);

/** The code of a target and what it imports share the port of the thread, and can post anything. */
export function isCheckMessage(message: unknown): message is CheckMessage {
  return isObject(message) && KINDS.has(message['kind']);
}
