/**
 * kublk's own text, which scripts cut by field number: `ublk_ctrl_dump` of Linux 7.3 prints the same bytes. A missing
 * word or blank would break a script's `awk '{print $11}'`.
 */
import type { KernelReport } from '../../device/report/report.ts';
import { UBLK_F_IO_DESC_SIZE } from '../../native/uapi/ublk-features.ts';

const SECTOR = 512;

export function deviceText(device: KernelReport): string {
  const capacity = Math.floor(device.size_bytes / SECTOR);
  const lines = [
    `dev id ${device.id}: nr_hw_queues ${device.nr_hw_queues} queue_depth ${device.queue_depth} ` +
      `block size ${device.logical_block_size} dev_capacity ${capacity}`,
    `\tmax rq size ${device.max_io_buf_bytes} daemon pid ${device.ublksrv_pid} flags ${device.flags} state ${device.state}`,
  ];
  if ((BigInt(device.flags) & UBLK_F_IO_DESC_SIZE) !== 0n) lines.push(`\tio_desc_size ${device.io_desc_size}`);
  for (const queue of device.queues) lines.push(`\tqueue ${queue.id}: affinity(${firstCpu(queue.affinity)})`);
  return `${lines.join('\n')}\n`;
}

/** kublk pins a queue to the first of its CPUs, and prints that number with a blank behind it. */
function firstCpu([cpu]: readonly number[]): string {
  return cpu === undefined ? '' : `${cpu} `;
}

export interface Features {
  readonly features: bigint;
  readonly bits: readonly { readonly bit: number; readonly name: string | null }[];
}

export function featuresText({ features, bits }: Features): string {
  const lines = bits.map(({ bit, name }) => `0x${(1n << BigInt(bit)).toString(16).padEnd(16)}: ${name ?? 'unknown'}`);
  return [`ublk_drv features: 0x${features.toString(16)}`, ...lines, ''].join('\n');
}
