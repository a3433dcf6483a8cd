/** The examples on a real ublk driver: each holds a file system and does what its first lines say. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { blockDevice, leavesNothingBehind, run, sh, skip } from './guest.ts';
import { LONG, onlyLong } from './support/long.ts';

const DIRECTORY = '/tmp/examples';
const MOUNT = '/mnt/examples';
const DEVICE = '/dev/ublkb5';

describe('examples', { skip }, () => {
  leavesNothingBehind();
  // Where only root can write them.
  sh(`mkdir -p ${MOUNT} ${DIRECTORY} && cp examples/*.ts ${DIRECTORY}/ && chmod 644 ${DIRECTORY}/*`);
  sh(`cd ${DIRECTORY} && truncate -s 32M base.img && mkfs.ext4 -q -d ${process.cwd()}/docs base.img`);

  test('encrypted.ts: a file system, of which the file below shows nothing', { skip: onlyLong }, async () => {
    sh(`cd ${DIRECTORY} && truncate -s 32M disk.img && head -c 64 /dev/urandom > disk.key`);
    const add = '-t ./encrypted.ts -o key=disk.key disk.img';
    await mounted(add, `mkfs.ext4 -q ${DEVICE}`, `cp -r docs ${MOUNT}/`);
    sh(`! grep -q 'A \\*target\\* is' ${DIRECTORY}/disk.img`);
    await mounted(add, `e2fsck -fn ${DEVICE}`, `diff -r docs ${MOUNT}/docs`);
  });

  test('overlay.ts: what changes is kept, and the base stays', async () => {
    const before = sh(`sha256sum ${DIRECTORY}/base.img`);
    sh(`touch ${DIRECTORY}/mine.img`);
    const add = '-t ./overlay.ts -o base=base.img mine.img';
    await mounted(add, 'true', `diff -r --exclude=lost+found docs ${MOUNT} && cp package.json ${MOUNT}/`);
    await mounted(add, `e2fsck -fn ${DEVICE}`, `cmp package.json ${MOUNT}/package.json`);
    assert.equal(sh(`sha256sum ${DIRECTORY}/base.img`), before);
  });

  test(`${LONG ? 'encrypted.ts, replica.ts and overlay.ts have' : 'encrypted.ts has'} the size of a block device below`, () => {
    sh(`cd ${DIRECTORY} && head -c 64 /dev/urandom > block.key && touch over.img`);
    const below = LONG ? [6, 7] : [6];
    for (const id of below) sh(`ublkts add -t ram -n ${id} -o size=16M`);
    try {
      for (const [add, bytes] of [
        ['./encrypted.ts -o key=block.key /dev/ublkb6', 16 << 20],
        ['./replica.ts /dev/ublkb6 /dev/ublkb7', (16 << 20) - 4096],
        ['./overlay.ts -o base=/dev/ublkb7 over.img', 16 << 20],
      ].slice(0, LONG ? 3 : 1)) {
        sh(`dd if=/dev/zero of=/dev/ublkb6 bs=1M count=16 conv=notrunc status=none`);
        sh(`cd ${DIRECTORY} && ublkts add -n 5 -t ${add}`);
        try {
          assert.equal(sh(`blockdev --getsize64 ${DEVICE}`), String(bytes));
          sh(
            `head -c 1M /dev/urandom > ${DIRECTORY}/data && dd if=${DIRECTORY}/data of=${DEVICE} bs=1M oflag=direct status=none`,
          );
          sh(`dd if=${DEVICE} bs=1M count=1 iflag=direct status=none | cmp - ${DIRECTORY}/data`);
        } finally {
          sh('ublkts del -n 5');
        }
      }
    } finally {
      sh(`ublkts del ${below.join(' ')}`);
    }
  });

  test('replica.ts: the loss of one file is not seen', async () => {
    sh(`mkdir ${DIRECTORY}/small && mount -t tmpfs -o size=1M tmpfs ${DIRECTORY}/small`);
    try {
      sh(`cd ${DIRECTORY} && truncate -s 32M a.img small/b.img`);
      await mounted('-t ./replica.ts small/b.img a.img', `mkfs.ext4 -q ${DEVICE}`, `cp -r docs ${MOUNT}/`, () => {
        assert.match(sh('cat /run/ublkts/5.log'), /small\/b\.img is left out: .*ENOSPC.*; 1 left/);
      });
      sh(`cd ${DIRECTORY} && e2fsck -fn a.img`);
    } finally {
      sh(`umount ${DIRECTORY}/small`);
    }
  });

  test('http.ts: an image of a web server is mounted', { skip: onlyLong }, async () => {
    run(`node -e "${SERVER.replaceAll('\n', ' ')}" > ${DIRECTORY}/port 2>&1 & echo $! > ${DIRECTORY}/pid`);
    try {
      sh(`for i in $(seq 100); do test -s ${DIRECTORY}/port && break; sleep 0.1; done`);
      const url = `http://127.0.0.1:${sh(`cat ${DIRECTORY}/port`)}/`;
      await mounted(`-t ./http.ts -o url=${url}`, 'true', `diff -r --exclude=lost+found docs ${MOUNT}`);
    } finally {
      sh(`kill $(cat ${DIRECTORY}/pid)`);
    }
  });
});

/** Adds the device, runs `first` on it, and `then` with its file system mounted; then nothing of it is left. */
async function mounted(add: string, first: string, then: string, last = (): void => {}): Promise<void> {
  sh(`cd ${DIRECTORY} && ublkts add -n 5 ${add}`);
  try {
    await blockDevice(DEVICE);
    sh(first);
    const readOnly = sh(`blockdev --getro ${DEVICE}`) === '1' ? '-o ro,noload' : '';
    sh(`mount ${readOnly} ${DEVICE} ${MOUNT} && { ${then}; } && umount ${MOUNT}`);
    last();
  } finally {
    sh('ublkts del -n 5');
  }
}

/** Serves the image in the ranges that are asked for. */
const SERVER = `const { readFileSync } = require('node:fs');
const image = readFileSync('${DIRECTORY}/base.img');
const server = require('node:http').createServer((request, response) => {
  const range = /^bytes=([0-9]+)-([0-9]+)/.exec(request.headers.range ?? '');
  if (range === null) response.writeHead(200, { 'content-length': image.length }).end();
  else response.writeHead(206).end(image.subarray(Number(range[1]), Number(range[2]) + 1));
});
server.listen(0, () => console.log(server.address().port));`;
