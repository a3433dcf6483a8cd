/**
 * Runs inside a guest whose clock counts instructions: what it takes from `add` to the first byte read, with a resident
 * server, from the command line and from a program that holds the server open, and with kublk.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireBlockDevice } from '../../guest/fio.ts';
import { library } from '../../guest/library.ts';
import { PROGRAM } from '../../../test/monitor/terminal.ts';
import { stopUdev } from '../../guest/udev.ts';
import { median } from '../median.ts';
import { report } from './rows.ts';

/** The start of a command differs by some ten million from one run to the next. */
const RUNS = 11;
/** Of a program, whose code becomes warm: so many that do not count, and so many that do. */
const WARM_UPS = 10;
const PROGRAM_RUNS = 21;
const SETTLED_MS = 300;
const ID = 3;
const KUBLK = '/opt/kublk/kublk';
const SIZE = ['-t', 'null', '-n', String(ID), '-q', '1', '-d', '32'];
const PATH = `/dev/ublkb${ID}`;

/** A way to make a device and to delete it; both are counted. */
interface Way {
  readonly name: string;
  readonly add: () => Promise<unknown> | void;
  readonly del: () => Promise<unknown> | void;
  /** What is left out: the program's own start. */
  readonly start?: () => void;
}

function ran(file: string, words: readonly string[], mayFail = false): void {
  const { status, stderr } = spawnSync(file, words, { encoding: 'utf8' });
  if (status !== 0 && !mayFail) throw new Error(`${file} ${words.join(' ')}: ${status} ${stderr}`);
}

const ours = (...words: string[]): void => ran(process.execPath, [PROGRAM, ...words]);

/** A file that Node loads before the program, and that has `open` in place of the program's openSync. */
function preload(name: string, open: string): string {
  const path = `/tmp/${name}.cjs`;
  writeFileSync(path, `const fs = require('fs');\nconst { openSync } = fs;\nfs.openSync = ${open};\n`);
  return path;
}

/** Ends a command where it opens the control device: all that it has done until then is its own start. */
const UNTIL_DRIVER = preload(
  'until-driver',
  `(path, ...rest) => (path === '/dev/ublk-control' ? process.reallyExit(0) : openSync(path, ...rest))`,
);
/** It is loaded where the whole command is counted, so that both load one file more. */
const WHOLE = preload('whole', '(path, ...rest) => openSync(path, ...rest)');

const server = await library.openServer({ name: 'main', threads: 2 });

const WAYS: readonly Way[] = [
  {
    name: 'kublk add',
    add: () => ran(KUBLK, ['add', ...SIZE]),
    del: () => ran(KUBLK, ['del', '-n', String(ID)]),
    start: () => ran(KUBLK, ['help'], true),
  },
  {
    name: '`add --server`',
    add: () => ran(process.execPath, ['-r', WHOLE, PROGRAM, 'add', '--server', ...SIZE]),
    del: () => ours('del', '-n', String(ID)),
    start: () => ran(process.execPath, ['-r', UNTIL_DRIVER, PROGRAM, 'add', '--server', ...SIZE]),
  },
  {
    name: '`openServer().add`',
    add: () => server.add({ target: 'null', id: ID, queues: 1, depth: 32 }),
    del: () => server.delete(ID),
  },
];

function readByte(): void {
  requireBlockDevice(PATH);
  const fd = openSync(PATH, 'r');
  readSync(fd, Buffer.alloc(512), 0, 512, 1 << 30);
  closeSync(fd);
}

/** What the command before has left to do when it had answered is not counted. */
async function counted(act: () => Promise<unknown> | void): Promise<number> {
  await sleep(SETTLED_MS);
  const begin = performance.now();
  await act();
  return performance.now() - begin;
}

/** A millisecond of the guest's clock is a million instructions. */
function million(ms: number): number {
  return Math.round(ms * 10) / 10;
}

stopUdev();
const kublk = { add: 0 };
for (const { name, add, del, start } of WAYS) {
  const [adds, dels, starts]: [number[], number[], number[]] = [[], [], []];
  // A command starts anew each time.
  const [first, end] = start === undefined ? [-WARM_UPS, PROGRAM_RUNS] : [-1, RUNS];
  for (let run = first; run < end; run++) {
    const added = await counted(async () => {
      await add();
      readByte();
    });
    const deleted = await counted(del);
    const started = start === undefined ? 0 : await counted(start);
    if (run < 0) continue;
    adds.push(added);
    dels.push(deleted);
    starts.push(started);
  }
  const net = median(adds) - median(starts);
  if (name === 'kublk add') kublk.add = net;
  report('add', {
    'from the words to the first byte read': name,
    'million instructions': million(median(adds)),
    'its own start': million(median(starts)),
    'the rest': million(net),
    'rest / rest of kublk': Math.round((100 * net) / kublk.add) / 100,
    del: million(median(dels)),
  });
}
await server.end();
