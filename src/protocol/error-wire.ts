/**
 * The wire form of an error: how a UblkError travels between our processes and threads, as JSON. Nothing that a reader
 * shows or decides by is lost: message, code, kind, command, device, hint, and the option names in message and hint.
 */
import {
  describeFailure,
  FAILURE_KINDS,
  type FailureKind,
  type OptionMention,
  type Text,
  UblkError,
} from '../errors.ts';
import { isObject } from '../kinds.ts';
import { shortageOf } from '../native/shortage.ts';

export interface WireError {
  readonly message: Text;
  readonly code: string;
  readonly kind: FailureKind;
  readonly command?: string;
  readonly device?: number;
  readonly hint?: Text;
}

/** A shortage of the system is one line. Any other thrown value is a defect of ours: INTERNAL, with its stack. */
export function encodeError(thrown: unknown): WireError {
  const error = thrown instanceof UblkError ? thrown : shortageOf(thrown);
  if (error === undefined) return { message: describeFailure(thrown), code: 'INTERNAL', kind: 'failed' };
  const { text, code, kind, command, device, hintText } = error;
  return {
    message: text,
    code,
    kind,
    ...(command === undefined ? {} : { command }),
    ...(device === undefined ? {} : { device }),
    ...(hintText === undefined ? {} : { hint: hintText }),
  };
}

/** The error that was encoded; for anything else an error that says so. Never throws. */
export function decodeError(value: unknown): UblkError {
  if (!isObject(value)) return garbled();
  const { message, code, kind, command, device, hint } = value;
  if (!isText(message) || typeof code !== 'string') return garbled();
  return new UblkError(message, {
    code,
    ...(isKind(kind) ? { kind } : {}),
    ...(typeof command === 'string' ? { command } : {}),
    ...(typeof device === 'number' ? { device } : {}),
    ...(isText(hint) ? { hint } : {}),
  });
}

function garbled(): UblkError {
  return new UblkError('the server reported an error that cannot be read', { code: 'EBADMSG', command: 'recv' });
}

function isKind(value: unknown): value is FailureKind {
  return FAILURE_KINDS.some((kind) => kind === value);
}

function isText(value: unknown): value is Text {
  if (typeof value === 'string') return true;
  return Array.isArray(value) && value.every((piece) => typeof piece === 'string' || isMention(piece));
}

function isMention(value: unknown): value is OptionMention {
  return isObject(value) && typeof value['option'] === 'string';
}
