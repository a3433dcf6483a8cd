/** The same device of null from ublkts and from kublk, one after the other. */
import { execFileSync } from 'node:child_process';
import { add, ublkts } from '../../../guest/ublkts.ts';
import type { Server } from '../curves.ts';
import { undisturbed } from '../../undisturbed.ts';

const KUBLK = '/opt/kublk/kublk';
const KUBLK_ID = 7;

export async function onBoth(
  options: string,
  measure: (device: string, server: Server) => Promise<void>,
): Promise<void> {
  // The very path of kublk's.
  const device = await add(`-t null ${options} --data_path copy`);
  await undisturbed(device.path, () => measure(device.path, 'ublkts'));
  await ublkts(`del -n ${device.id}`);
  execFileSync(KUBLK, ['add', '-t', 'null', '-n', String(KUBLK_ID), ...options.split(' ')], { stdio: 'ignore' });
  const path = `/dev/ublkb${KUBLK_ID}`;
  await undisturbed(path, () => measure(path, 'kublk'));
  execFileSync(KUBLK, ['del', '-n', String(KUBLK_ID)]);
}
