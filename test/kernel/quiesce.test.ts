/** A live device is taken away from its server and given to another: the server leaves, and no client sees an error. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { blockDevice, describeDevice, leavesNothingBehind, run, sh, shFails, skip } from './guest.ts';
import { until } from './support/devices.ts';
import { LONG, onlyLong } from './support/long.ts';

const FOLDER = '/dev/shm/quiesce';
const ID = 5;
const DEVICE = `/dev/ublkb${ID}`;
const ROUNDS = LONG ? 8 : 2;
/** One way of taking requests from the driver each: per tag, and in batches. */
const UNDER_IO = ['', '-b --data_path batch+copy -q 2 --nthreads 1'];
const MORE_UNDER_IO = ['--data_path copy -q 2 --nthreads 3 --per_io_tasks', '--data_path user_copy', '-b'];

describe('quiesce', { skip, timeout: 600_000 }, () => {
  leavesNothingBehind();
  if (skip) return;
  sh(`mkdir -p ${FOLDER}`);

  for (const flags of LONG ? [...UNDER_IO, ...MORE_UNDER_IO] : UNDER_IO.slice(1)) {
    // Without -i, as then the driver fails what a server has not committed: nothing may be left to it.
    test(`loop -r 1 ${flags}: under I/O, ${ROUNDS} times, no request fails`, async () => {
      sh(`truncate -s 64M ${FOLDER}/disk; ublkts add -t loop -n ${ID} -r 1 ${flags} ${FOLDER}/disk`);
      try {
        await blockDevice(DEVICE);
        const fio =
          `fio --name=q --filename=${DEVICE} --direct=1 --ioengine=io_uring --rw=randrw --bs=4k --iodepth=32 ` +
          '--numjobs=2 --offset_increment=32M --size=30M --verify=crc32c --verify_state_save=0 --time_based --runtime=5';
        sh(`(${fio} > ${FOLDER}/fio 2>&1; echo "exit $?" >> ${FOLDER}/fio) < /dev/null > /dev/null 2>&1 &\nsleep 1`);
        for (let round = 0; round < ROUNDS; round++) {
          sh(`ublkts quiesce -n ${ID}`);
          await quiesced();
          sh(`ublkts recover -n ${ID}; sleep 0.3`);
        }
        await until('fio ends', () => run(`grep -q ^exit ${FOLDER}/fio`).status === 0);
        const said = sh(`cat ${FOLDER}/fio`);
        assert.match(said, /^exit 0$/m, said);
      } finally {
        sh(`ublkts del -n ${ID}`);
      }
    });
  }

  for (const flags of ['-b', ...(LONG ? ['', '-b --auto_zc'] : [])]) {
    test(`null ${flags} without recovery: it is refused, and the server serves on`, async () => {
      sh(`ublkts add -t null -n ${ID} ${flags}`);
      try {
        await blockDevice(DEVICE);
        const before = await describeDevice(ID);
        shFails(`ublkts quiesce -n ${ID}`, /device 5 was made without recovery/);
        sh(`dd if=${DEVICE} of=/dev/null bs=4k count=16 iflag=direct status=none`);
        const { state, ublksrv_pid } = await describeDevice(ID);
        assert.deepEqual({ state, ublksrv_pid }, { state: 'LIVE', ublksrv_pid: before.ublksrv_pid });
      } finally {
        sh(`ublkts del -n ${ID}`);
      }
    });
  }

  for (const flags of ['-b', ...(LONG ? ['', '-q 2 --nthreads 4 --per_io_tasks'] : [])]) {
    test(`fault_inject -r 1 ${flags}: a request under way is finished first`, { skip: onlyLong }, async () => {
      // udev's own reads of the new device would be under way, too, for seconds.
      sh(`udevadm control --stop-exec-queue`);
      sh(`ublkts add -t fault_inject -n ${ID} -r 1 ${flags} --no_auto_part_scan --delay_us 1500000`);
      try {
        await blockDevice(DEVICE);
        const dd = `dd if=${DEVICE} of=/dev/null bs=4k count=1 iflag=direct status=none`;
        sh(`(${dd}; echo "exit $?" > ${FOLDER}/dd) < /dev/null > /dev/null 2>&1 &\nsleep 0.3`);
        sh(`ublkts quiesce -n ${ID}`);
        await quiesced();
        sh(`ublkts recover -n ${ID}`);
        await until('dd ends', () => run(`test -s ${FOLDER}/dd`).status === 0);
        assert.equal(sh(`cat ${FOLDER}/dd; rm ${FOLDER}/dd`), 'exit 0');
      } finally {
        sh(`ublkts del -n ${ID}; udevadm control --start-exec-queue`);
      }
    });
  }
});

async function quiesced(): Promise<void> {
  await until('the device is QUIESCED', async () => (await describeDevice(ID)).state === 'QUIESCED');
}
