/// <reference types="node" preserve="true" />
/**
 * `ublkts/target/ring`: targets that start io_uring operations themselves. They have every data path, zero copy
 * included, and its full speed; they never see a request's bytes unless they ask for them. `loop`, `stripe` and `null`
 * are written with this interface.
 */
import { TARGET_BRAND, type Target } from './targets/handlers/define.ts';
import type { TargetType } from './targets/target.ts';

/** Declares a ring target: `export default defineRingTarget({ ... })`. It runs nothing. */
export function defineRingTarget<State>(type: TargetType<State>): Target {
  return Object.freeze({ ...type, [TARGET_BRAND]: 'ring' as const });
}

export type { Target } from './targets/handlers/define.ts';
export type {
  IoRequest,
  Opened,
  OpenRequest,
  QueueContext,
  ResizeRequest,
  StuckRequests,
  TargetQueue,
  TargetRing,
  TargetType,
  ThreadEvents,
} from './targets/target.ts';
export type { Params, ParamsInit } from './control/commands.ts';
export type { DataPathName } from './spec/data-paths.ts';
export type { IntegrityOptions } from './spec/options.ts';
export type { FileCount, OneThread, TargetTraits } from './spec/target-traits.ts';
export type { ConnectionWriter } from './stats/connection-writer.ts';
export { UblkError } from './errors.ts';
export { ERRNO } from './native/uapi/errno.ts';
export { RWF_DSYNC } from './native/uapi/fs.ts';
export { type MappedMemory, mapAnonymous } from './native/memory.ts';
export {
  UBLK_IO_F_FUA,
  UBLK_IO_F_INTEGRITY,
  UBLK_IO_F_NOUNMAP,
  UBLK_IO_OP_DISCARD,
  UBLK_IO_OP_FLUSH,
  UBLK_IO_OP_READ,
  UBLK_IO_OP_WRITE,
  UBLK_IO_OP_WRITE_ZEROES,
} from './native/uapi/ublk-io.ts';
export {
  UBLK_ATTR_FUA,
  UBLK_ATTR_READ_ONLY,
  UBLK_ATTR_ROTATIONAL,
  UBLK_ATTR_VOLATILE_CACHE,
  UBLK_PARAM_TYPE_BASIC,
  UBLK_PARAM_TYPE_DISCARD,
  UBLK_PARAM_TYPE_DMA_ALIGN,
  UBLK_PARAM_TYPE_SEGMENT,
} from './native/uapi/ublk-params.ts';
