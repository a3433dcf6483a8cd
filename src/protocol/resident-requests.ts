/**
 * The messages on /run/ublkts/server-NAME.sock, the socket of a resident server. A connection carries one request and one
 * answer, each in a frame (frame.ts); then the server closes it. After the answer to `follow` it stays open, and carries a
 * frame for each event, until the client closes it or the server ends.
 */
import { decodeError, encodeError, type WireError } from './error-wire.ts';
import { badRequest, countField, encodeFrame, type Fields, parseFields } from './frame.ts';

export type ResidentRequest =
  | { readonly op: 'status' }
  /**
   * Serves a device that the kernel has added (`add`), or one that it has made ready for a new server (`recover`). The
   * device's record says what it is. The answer comes when the device is live.
   */
  | {
      readonly op: 'start';
      readonly device: number;
      readonly mode: 'add' | 'recover';
      /** The call that asks, as in the device's record; undefined for an older client, which is not compared. */
      readonly attempt?: string;
      /** The mount namespace of the client, in which the paths in the record were found. */
      readonly mounts: string;
      /** Its network namespace, in which addresses lead to what it has asked; undefined for an older client, whose is not compared. */
      readonly network?: string;
    }
  /** Lets go of a `-b` device without an error for its clients. The answer comes when the server has begun to. */
  | { readonly op: 'quiesce'; readonly device: number }
  /** Asks for what happens to the devices. The first event says which there are. */
  | { readonly op: 'follow' }
  /** Does what SIGTERM does: the server ends when no device is in use. The answer comes at once. */
  | { readonly op: 'end' };

/** What happens to the devices of a resident server. */
export type ResidentEvent =
  | { readonly event: 'devices'; readonly devices: readonly number[] }
  /** The device can be used. */
  | { readonly event: 'live'; readonly device: number }
  /** The device was stopped, deleted or quiesced, and the server has nothing of it any more. */
  | { readonly event: 'left'; readonly device: number }
  /** The server could not go on to serve the device. */
  | { readonly event: 'failed'; readonly device: number; readonly error: WireError };

export interface ResidentStatus {
  readonly pid: number;
  /** The ids of the devices that it serves. */
  readonly devices: readonly number[];
}

/** The value of a successful answer, by the request's `op`. */
export interface ResidentAnswers {
  readonly status: ResidentStatus;
  /** Sentences on what the device has to do without, and what is not as one might expect. */
  readonly start: { readonly pid: number; readonly notes: readonly string[] };
  readonly quiesce: null;
  readonly end: null;
  readonly follow: { readonly pid: number };
}

export function encodeResidentRequest(request: ResidentRequest): Buffer {
  return encodeFrame(request);
}

/** Throws a UblkError that says what is wrong with the payload. */
export function parseResidentRequest(payload: string): ResidentRequest {
  const fields = parseFields(payload);
  const { op } = fields;
  switch (op) {
    case 'status':
    case 'follow':
    case 'end':
      return { op };
    case 'start':
      return {
        op,
        device: countField(fields, 'device'),
        mode: modeField(fields),
        mounts: mountsField(fields),
        ...textField(fields, 'attempt'),
        ...textField(fields, 'network'),
      };
    case 'quiesce':
      return { op, device: countField(fields, 'device') };
    default:
      throw badRequest(`there is no request '${String(op)}'`);
  }
}

/** The event in the payload of a frame; null for one that this version does not know. */
export function parseResidentEvent(payload: string): ResidentEvent | null {
  const fields = parseFields(payload);
  const { event, devices, error } = fields;
  switch (event) {
    case 'devices':
      return { event, devices: Array.isArray(devices) ? devices.filter((id) => Number.isSafeInteger(id)) : [] };
    case 'live':
    case 'left':
      return { event, device: countField(fields, 'device') };
    case 'failed':
      return { event, device: countField(fields, 'device'), error: encodeError(decodeError(error)) };
    default:
      return null;
  }
}

function modeField({ mode }: Fields): 'add' | 'recover' {
  if (mode !== 'add' && mode !== 'recover') throw badRequest('mode is neither add nor recover');
  return mode;
}

function mountsField({ mounts }: Fields): string {
  if (typeof mounts !== 'string') throw badRequest('mounts is not a text');
  return mounts;
}

/** The field alone, if it is there. */
function textField<K extends string>(fields: Fields, name: K): { readonly [_ in K]?: string } {
  const value = fields[name];
  if (value === undefined) return {};
  if (typeof value !== 'string') throw badRequest(`${name} is not a text`);
  return { [name]: value } as { readonly [_ in K]?: string };
}
