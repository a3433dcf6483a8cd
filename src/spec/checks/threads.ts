import { usageError } from '../../errors.ts';
import { dataPathNameOf, type DeviceSpec, featuresOf } from '../device-spec.ts';
import { option } from '../option-names.ts';

const BATCH = option('features.BATCH_IO');

export function checkThreads(spec: DeviceSpec): void {
  const { queues, depth, threads, perIoTasks, delivery } = spec;
  const isBatch = delivery === 'batch';
  const isAuto = featuresOf(spec).has('AUTO_BUF_REG');
  if (perIoTasks && isBatch) {
    throw usageError(
      [option('perIoTasks'), ' cannot be combined with delivery in batches (', BATCH, ')'],
      'each decides which thread serves a request: use one',
    );
  }
  // The driver keeps the requests of a batch in a ring (kfifo) that cannot have room for one only: a bare EINVAL.
  if (isBatch && depth < 2) {
    throw usageError(
      ['delivery in batches (', BATCH, ') needs ', option('depth'), ' 2 or more'],
      ['make ', option('depth'), ' 2, or leave ', BATCH, ' out'],
    );
  }
  if (threads !== queues && !perIoTasks && !isBatch) {
    throw usageError(`${plural(threads, 'thread')} cannot serve ${plural(queues, 'queue')} one to one`, [
      'add ',
      option('perIoTasks'),
      ' or ',
      BATCH,
      ', or make ',
      option('threads'),
      ` ${queues}`,
    ]);
  }
  if (isAuto && isBatch && threads > queues) {
    throw usageError(
      `the data path ${dataPathNameOf(spec)} allows no more threads than queues: ${threads} of ${queues}`,
      ['make ', option('threads'), ` ${queues} or fewer`],
    );
  }
  if (spec.rotateAutoBuf && !(isAuto && isBatch)) {
    const auto = option('features.AUTO_BUF_REG');
    throw usageError([option('rotateAutoBuf'), ' requires ', auto, ' and ', BATCH], ['add ', auto, ' and ', BATCH]);
  }
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
