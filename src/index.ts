/// <reference types="node" preserve="true" />
/**
 * The library: devices and their buffers from a program of one's own. It needs the same rights as `ublkts`.
 *
 * Functions that may wait take `{ signal, onWaiting, timeoutMs }` (WaitOptions) and let the event loop turn while they wait.
 * Every failure is a UblkError with `code`, `kind`, `device` and `hint`; a call that was given up rejects with the reason of
 * its signal. (Reads and writes of an open device fail with the errors of `node:fs`.)
 */
export { SharedMemoryDevice, openDevice } from './client/device.ts';
export type { RegionOptions } from './client/allocate.ts';
export type { SharedRegion } from './client/region.ts';
export { addDevice } from './device/add/add-device.ts';
export {
  type BufferSource,
  type RegisteredBuffer,
  registerBuffer,
  unregisterAllBuffers,
  unregisterBuffer,
} from './device/buffers.ts';
export type { WaitOptions } from './control/waiting.ts';
export {
  type DeleteOptions,
  type Deletions,
  deleteAllDevices,
  deleteDevice,
} from './device/remove/delete.ts';
export { type Claimant, describeHolder, type Holder, type Opener } from './block/holder.ts';
export { type FeatureBit, type Features, getFeatures } from './device/features.ts';
export { describeDevice, listDevices } from './device/report/list.ts';
export { quiesceDevice } from './device/change/quiesce.ts';
export { recoverDevice } from './device/recover/recover.ts';
export { type Recoveries, recoverAllDevices } from './device/recover/recover-all.ts';
export type {
  BufferReport,
  ConnectionReport,
  DeletingReport,
  DeviceReport,
  DeviceState,
  IoReport,
  QueueReport,
  StartedDevice,
  StuckReport,
  TallyReport,
} from './device/report/report.ts';
export { type AffinityOptions, type Moved, type QueueAffinity, setAffinity } from './device/change/affinity.ts';
export { type ResizeOptions, updateSize } from './device/change/resize.ts';
export { type StopOptions, stopDevice } from './device/remove/stop.ts';
export { OpenServer, type OpenServerEvents, openServer } from './device/servers/open-server.ts';
export { type ServeOptions, type StartedServer, startServer } from './device/servers/serve.ts';
export { type FailureDetails, type FailureKind, type OptionMention, type Text, UblkError } from './errors.ts';
export type { ProcessState } from './record/process-state.ts';
export type { OrUndefined } from './spec/given.ts';
export type { ConnectionState, StatOp } from './stats/layout.ts';
export {
  ADD_DEFAULTS,
  type AddOptions,
  type AddRequest,
  type IntegrityOptions,
  type SharedBufferOptions,
} from './spec/options.ts';
export type { Feature } from './spec/features.ts';
