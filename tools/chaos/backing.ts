/** The files below a round's device, and what can go wrong with them. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { BLOCKS, hasFiles, type Round } from './plan.ts';

const FOLDER = '/var/tmp/chaos';
const FILE_MB = 16;
/** A third of what the client writes. */
const FULL_KB = Math.floor((BLOCKS * 4) / 3);
const MAPPED = 'chaos';

export interface Backing {
  readonly files: readonly string[];
  readonly isFull: () => boolean;
  /** The fault begins, and ends. */
  readonly fault: () => void;
  readonly mend: () => void;
  readonly remove: () => void;
}

export function makeBacking(round: Round): Backing {
  const { target, misfortune } = round;
  if (!hasFiles(round)) return NO_FILES;
  const small = misfortune === 'full disk';
  mkdirSync(FOLDER, { recursive: true });
  if (small) sh(`mount -t tmpfs -o size=${FULL_KB}k tmpfs ${FOLDER}`);
  const files = (target === 'stripe' ? ['a', 'b'] : ['a']).map((name) => `${FOLDER}/${name}`);
  for (const file of files) {
    writeFileSync(file, '');
    truncateSync(file, FILE_MB << 20);
  }
  const broken = misfortune === 'backing error' ? mapFirst(files) : undefined;
  return {
    files: broken === undefined ? files : [broken.device, ...files.slice(1)],
    isFull: () => statfsSync(FOLDER).bavail === 0,
    fault: () => broken?.load('error'),
    mend: () => {
      broken?.load('linear');
      if (small) sh(`mount -o remount,size=64M ${FOLDER}`);
    },
    remove: () => {
      broken?.remove();
      if (small) sh(`umount ${FOLDER}`);
      rmSync(FOLDER, { recursive: true, force: true });
    },
  };
}

const NO_FILES: Backing = { files: [], isFull: () => false, fault: nothing, mend: nothing, remove: nothing };

interface Mapped {
  readonly device: string;
  load(target: 'linear' | 'error'): void;
  remove(): void;
}

/** A device-mapper device over the first file, which can be made to fail. */
function mapFirst([file]: readonly string[]): Mapped {
  sh('modprobe loop; modprobe dm_mod');
  const loop = sh(`losetup --find --show ${file}`);
  const sectors = (FILE_MB << 20) / 512;
  const tables = { linear: `0 ${sectors} linear ${loop} 0`, error: `0 ${sectors} error` };
  sh(`dmsetup create ${MAPPED} --table '${tables.linear}' && udevadm settle`);
  return {
    device: `/dev/mapper/${MAPPED}`,
    load: (target) => {
      sh(
        `dmsetup suspend --nolockfs ${MAPPED}; dmsetup load ${MAPPED} --table '${tables[target]}'; dmsetup resume ${MAPPED}`,
      );
    },
    remove: () => void sh(`dmsetup remove --retry ${MAPPED}; losetup --detach ${loop}`),
  };
}

function sh(script: string): string {
  return execFileSync('bash', ['-c', script], { encoding: 'utf8', timeout: 30_000 }).trimEnd();
}

function nothing(): void {}
