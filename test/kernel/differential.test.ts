/**
 * The same command line, given to kublk and to ublkts, leaves the same device: queue limits, size, flags, integrity
 * attributes and `list` text. What differs on purpose is in ALLOWED, and with its reason in docs/kublk-differences.md.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { recipe } from '../../src/lab/recipe.ts';
import { blockDevice, leavesNothingBehind, sh, skip } from './guest.ts';
import { LONG } from './support/long.ts';

const KUBLK = `${recipe.kublkRoot}/kublk`;
const ID = 5;
const MIB = 1024 * 1024;

/** Words after `add -n 5`. A line has several options where they do not touch the same attributes. */
const LINES: readonly string[] = [
  '-t null -b --auto_zc --nthreads 1',
  '-t loop -u --metadata_size 64 --pi_offset 56 --csum_type t10dif --integrity_capable --integrity_reftag A M',
];

/** With UBLKTS_LONG=1: other targets, and other data paths, most of whose devices have the attributes of those above. */
const MORE_LINES: readonly string[] = [
  '-t null --data_path copy',
  '-t null -q 4 -d 64 -z -r 1 --no_auto_part_scan --io_desc_size 64',
  '-t null --auto_zc -r 1 -i 1',
  '-t null --per_io_tasks --nthreads 3',
  '-t null -u --metadata_size 64 --pi_offset 48 --csum_type nvme --integrity_capable --tag_size 6',
  '-t loop --shmem_zc A',
  '-t fault_inject -z --delay_us 1000',
  '-t null -q 1 -d 4 -u',
  '-t null -z --auto_zc --auto_zc_fallback -r 1 -e 1',
  '-t null -g',
  '-t null -b',
  '-t null --shmem_zc',
  '-t null -u --metadata_size 8 --csum_type t10dif --integrity_reftag',
  '-t loop -z A',
  '-t stripe -z A B',
  '-t stripe -u --chunk_size 4096 A B',
];

interface Allowed {
  /** Of the target. */
  readonly line: RegExp;
  /** The attribute, as `attributes` names it. */
  readonly name: RegExp;
}

const DISCARD =
  /^queue\/(?:discard_granularity|discard_max_bytes|discard_max_hw_bytes|write_zeroes_max_bytes|max_discard_segments)$/;

const ALLOWED: readonly Allowed[] = [
  { line: /-t (?:loop|stripe)/, name: DISCARD },
  { line: /-t (?:loop|stripe)/, name: /^queue\/fua$/ },
  { line: /-t stripe/, name: /^queue\/dma_alignment$/ },
];

describe('the same line, the same device', { skip, timeout: 900_000 }, () => {
  leavesNothingBehind();
  if (skip === false) {
    makeFile('/var/tmp/A', 256 * MIB);
    makeFile('/var/tmp/B', 256 * MIB);
    makeFile('/var/tmp/M', 32 * MIB);
  }

  for (const line of LONG ? [...LINES, ...MORE_LINES] : LINES) {
    test(line, async () => {
      const theirs = await deviceOf(KUBLK, line.replace(' --data_path copy', ''));
      const ours = await deviceOf('ublkts', line);
      assert.deepEqual(differences(line, ours, theirs), []);
    });
  }
});

type Attributes = ReadonlyMap<string, string>;

async function deviceOf(program: string, line: string): Promise<Attributes> {
  const words = line.replace(/ ([ABM])\b(?=$| )/g, ' /var/tmp/$1');
  try {
    sh(`${program} add -n ${ID} ${words}`);
    await blockDevice(`/dev/ublkb${ID}`);
    return new Map([['list', listText(program)], ...attributes(`/sys/block/ublkb${ID}`)]);
  } finally {
    sh(`${program} del -n ${ID}`);
  }
}

/** Another server, another process. */
function listText(program: string): string {
  return sh(`${program} list -n ${ID}`).replace(/daemon pid \d+/, 'daemon pid N');
}

function attributes(disk: string): [name: string, value: string][] {
  const files = ['queue', 'integrity']
    .map((folder) => `${disk}/${folder}`)
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`));
  return [`${disk}/size`, `${disk}/ro`, ...files]
    .filter((file) => statSync(file).isFile())
    .map((file) => [file.slice(disk.length + 1), valueOf(file)]);
}

function valueOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unreadable';
  }
}

function differences(line: string, ours: Attributes, theirs: Attributes): string[] {
  return [...new Set([...ours.keys(), ...theirs.keys()])]
    .filter((name) => ours.get(name) !== theirs.get(name))
    .filter((name) => !ALLOWED.some((allowed) => allowed.line.test(line) && allowed.name.test(name)))
    .map((name) => `${name}: ublkts ${ours.get(name)}, kublk ${theirs.get(name)}`);
}

function makeFile(file: string, bytes: number): void {
  writeFileSync(file, '');
  truncateSync(file, bytes);
}
