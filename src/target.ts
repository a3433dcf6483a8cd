/// <reference types="node" preserve="true" />
/**
 * `ublkts/target`: what a block device of one's own is written with.
 *
 * ```ts
 * // ram.ts: `ublkts add -t ./ram.ts -o size=1G`
 * import { defineTarget, size } from 'ublkts/target';
 *
 * export default defineTarget({
 *   summary: 'a disk in memory',
 *   options: { size: size({ default: '1G', summary: 'how large the disk is' }) },
 *   open({ options }) {
 *     const disk = Buffer.alloc(options.size);
 *     return {
 *       size: options.size,
 *       read(buffer, offset) { disk.copy(buffer, 0, offset, offset + buffer.length); },
 *       write(buffer, offset) { disk.set(buffer, offset); },
 *     };
 *   },
 * });
 * ```
 */
export {
  type Awaitable,
  defineTarget,
  type Handlers,
  type NoOptions,
  type OpenContext,
  type SetupContext,
  type Target,
  type TargetDefinition,
  type WriteOptions,
  type WriteZeroesOptions,
} from './targets/handlers/define.ts';
export { BLOCK_ERROR_CODES, BlockError, type BlockErrorCode } from './targets/handlers/errors.ts';
export {
  flag,
  type FlagInit,
  integer,
  type IntegerInit,
  type OptionInit,
  type OptionKind,
  type OptionKinds,
  type OptionValues,
  path,
  type PathInit,
  size,
  type SizeInit,
  text,
  type TextInit,
} from './targets/handlers/options.ts';
export { sizeOfFile } from './targets/handlers/size-of-file.ts';
