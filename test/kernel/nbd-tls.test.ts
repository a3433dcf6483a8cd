/** The target nbd over TLS on a real driver, with nbdkit: certificates, shared keys, and what is refused. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, test } from 'node:test';
import { startVerifier } from '../../tools/guest/start-verifier.ts';
import { describeDevice, leavesNothingBehind, run, sh, skip, verify, withDevice } from './guest.ts';
import { requireReckonedDescriptors } from './support/descriptors.ts';
import { killServer, until } from './support/devices.ts';
import { library } from './support/library.ts';
import { makeAuthority, makeCertificate, writeCertificate } from '../targets/nbd/certificates.ts';
import { startServer } from '../targets/nbd/servers.ts';
import { onlyLong } from './support/long.ts';

const FOLDER = '/dev/shm/nbd-tls';
const SOCKET = `${FOLDER}/socket`;
const DISK = `${FOLDER}/disk`;
const PKI = `${FOLDER}/pki`;
const KEYS = `${FOLDER}/keys`;
const PORT = 10_820;
const PSK = ['nbdkit', '-f', '-U', SOCKET, '--tls=require', `--tls-psk=${KEYS}`, 'file', DISK];
const SHARED = `nbds+unix://alice@/?socket=${SOCKET}&tls-psk-file=${KEYS}`;

describe('nbd over TLS', { skip, timeout: 300_000 }, () => {
  leavesNothingBehind();
  if (skip) return;
  sh(`mkdir -p ${FOLDER} && truncate -s 8M ${DISK}`);
  writeFileSync(KEYS, `alice:${randomBytes(32).toString('hex')}\n`);
  makeCertificates(PKI);
  makeCertificates(`${FOLDER}/others`);

  afterEach(() => run('ublkts del -a 2> /dev/null'));

  test('certificates of both sides over TCP: the data is right, and a server of another authority is refused', async () => {
    const tls = ['--tls=require', `--tls-certificates=${PKI}`, '--tls-verify-peer', '-P', SOCKET];
    const server = await startServer(
      ['nbdkit', '-f', '-i', '127.0.0.1', '-p', String(PORT), ...tls, 'file', DISK],
      SOCKET,
    );
    try {
      const uri = `nbds://localhost:${PORT}/`;
      const targetOptions = { uri, tls_certificates: PKI };
      await withDevice({ target: 'nbd', targetOptions }, ({ id, path, queues, target }) => {
        assert.equal(target?.options['uri'], `${uri}?tls-certificates=${PKI}`);
        assert.equal(new Set(queues.flatMap(({ tids }) => tids)).size, queues.length, 'a connection per queue');
        requireReckonedDescriptors(id);
        verify(path, '--size=1M');
        sh(`cmp ${path} ${DISK}`);
      });
      await refused({ uri, tls_certificates: `${FOLDER}/others` }, /certificate of the server is not trusted/);
      await refused({ uri: `nbd://localhost:${PORT}/` }, /it wants TLS/);
      assert.equal(run('ls /dev/ublkc*').stdout, '');
    } finally {
      await server.kill();
    }
  });

  test('a shared key: the server is killed under verifying I/O, and ours too; nothing is lost', {
    skip: onlyLong,
  }, async () => {
    sh(`rm ${DISK} && truncate -s 8M ${DISK}`);
    let server = await startServer(PSK, SOCKET);
    try {
      const features = ['USER_RECOVERY', 'USER_RECOVERY_REISSUE'] as const;
      const device = await library.addDevice({ target: 'nbd', targetOptions: { uri: SHARED }, features });
      const verifier = await startVerifier(device.path, 512);
      for (let kill = 1; kill <= 2; kill++) {
        await sleep(700);
        await server.kill();
        await sleep(200);
        server = await startServer(PSK, SOCKET);
        await until(
          'the connections are back',
          async () => {
            const { connections } = await describeDevice(device.id);
            return (connections ?? []).every(({ state, reconnects }) => state === 'up' && reconnects >= kill);
          },
          60,
        );
      }
      await sleep(500);
      await killServer(device.id);
      await library.recoverDevice(device.id);
      await sleep(500);
      const { failures, wrong } = await verifier.stop();
      assert.deepEqual({ failures, wrong }, { failures: [], wrong: [] });
      sh(`cmp ${device.path} ${DISK}`);
      await library.deleteDevice(device.id);
    } finally {
      await server.kill();
    }
  });

  test('a server without TLS is refused, and nothing falls back to plain text', async () => {
    const server = await startServer(['nbdkit', '-f', '-U', SOCKET, 'file', DISK], SOCKET);
    try {
      await refused({ uri: SHARED }, /the server does not offer TLS/);
    } finally {
      await server.kill();
    }
  });
});

function refused(targetOptions: Readonly<Record<string, string>>, why: RegExp): Promise<void> {
  return assert.rejects(library.addDevice({ target: 'nbd', targetOptions }), why);
}

/** A folder as nbdkit and libnbd want it, with an authority of its own and a certificate for each side. */
function makeCertificates(folder: string): void {
  const authority = makeAuthority(folder, folder);
  for (const side of ['server', 'client'] as const) {
    writeCertificate(folder, side, makeCertificate(authority, 'localhost'));
  }
}
