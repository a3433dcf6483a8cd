/** The target nbd over TLS, on a real ring, with a server in this process. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext, TLSSocket, type TLSSocketOptions } from 'node:tls';
import { after, describe, test } from 'node:test';
import { setBlocking, startConnecting } from '../../../src/native/libc/stream-socket.ts';
import { Ring } from '../../../src/native/ring/ring.ts';
import { askExport } from '../../../src/targets/nbd/ask.ts';
import { connectionOptions } from '../../../src/targets/nbd/tls/credentials.ts';
import { tlsError } from '../../../src/targets/nbd/tls/failure.ts';
import { openTunnel, type Tunnel } from '../../../src/targets/nbd/tls/tunnel.ts';
import { parseNbdUri } from '../../../src/targets/nbd/uri.ts';
import { makeAuthority, makeCertificate, writeCertificate } from './certificates.ts';
import { NbdClient } from './client.ts';
import { type HostileServer, hostileServer } from './servers.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'nbd-tls-'));
const SOCKET = join(FOLDER, 'socket');
const KEYS = join(FOLDER, 'keys');
const DISK = 4 << 20;
const LARGEST = 1 << 20;
const KEY = randomBytes(32);
const PLAIN = `nbd+unix:///?socket=${SOCKET}`;
const SHARED = `nbds+unix://alice@/?socket=${SOCKET}&tls-psk-file=${KEYS}`;

const skip = ringRefusal();

describe('nbd over TLS', { skip, timeout: 120_000 }, () => {
  writeFileSync(KEYS, `bob:${randomBytes(32).toString('hex')}\nalice:${KEY.toString('hex')}\n`);
  after(() => rmSync(FOLDER, { recursive: true }));

  test('carries whatever is asked in both directions, many requests at once', async () => {
    await withServer(shared(), async () => {
      await withClient(async (client) => {
        const images = Array.from({ length: 4 }, () => randomBytes(LARGEST));
        await Promise.all(images.map((image, slot) => client.write(slot, slot * 2048, image)));
        for (let round = 0; round < 3; round++) {
          const read = await Promise.all(images.map((_, slot) => client.read(slot, slot * 2048, LARGEST / 512)));
          assert.deepEqual(read, images);
        }
        assert.deepEqual(await client.read(0, 7, 1), images[0]?.subarray(7 * 512, 8 * 512));
      });
    });
  });

  test('the end of the connection is noticed, and it is made again, with TLS', async () => {
    await withServer(shared(), async (server) => {
      await withClient(async (client) => {
        const data = randomBytes(LARGEST);
        assert.equal(await client.write(0, 0, data), LARGEST);
        let closed = 0;
        server.lie = (_request, honest, socket) => {
          if (++closed > 3) return honest;
          socket.destroy();
          return honest;
        };
        assert.deepEqual(await client.read(0, 0, LARGEST / 512), data);
        assert.equal(client.connection?.reconnects, 3);
        assert.equal(server.connections, 4);
      });
    });
  });

  test('a server that does not read makes the writer wait, and gets everything later', async () => {
    await withFullTunnel(async ({ tunnel, inner, written }) => {
      assert.equal(await receive(inner, written), written);
      closeSync(tunnel.fd);
      assert.equal(await tunnel.closed, null);
    });
  });

  test('a tunnel that is dropped ends at once, and sends nothing of what it still had', async () => {
    await withFullTunnel(async ({ tunnel, inner, written }) => {
      tunnel.drop();
      assert.equal(await tunnel.closed, null);
      tunnel.drop();
      closeSync(tunnel.fd);
      // What has been in the server's socket cannot be taken back.
      const come = await receive(inner, Infinity);
      assert.ok(come < written, `${come} of ${written} bytes have come`);
    });
  });

  test('another key, a user without one, and a server without TLS are refused in words', async () => {
    const wrong = join(FOLDER, 'wrong');
    writeFileSync(wrong, `alice:${randomBytes(32).toString('hex')}\n`);
    await withServer(shared(), async () => {
      await refused(
        SHARED.replace(KEYS, wrong),
        /cannot use nbds\+unix:.*(?:TLS with the server fails|closes the connection)/,
      );
      await refused(SHARED.replace('alice', 'carol'), /has no key of "carol"/);
      await refused(SHARED.replace('alice@', ''), /has several keys, and no user is named/);
      await refused(PLAIN, /it wants TLS/);
    });
    await withServer(undefined, () => refused(SHARED, /the server does not offer TLS|closes the connection/));
  });

  test('a certificate is trusted only if its authority is, and has the right name', async () => {
    const ours = join(FOLDER, 'ours');
    const others = join(FOLDER, 'others');
    const authority = makeAuthority(ours, 'ours');
    makeAuthority(others, 'others');
    const { cert, key } = makeCertificate(authority, 'storage.example');
    const context = createSecureContext({ cert, key });
    await withServer({ secureContext: context }, async () => {
      const found = await ask(uri(`tls-certificates=${ours}`));
      assert.equal(found.bytes, DISK);
      await ask(uri(`tls-certificates=${ours}&tls-hostname=storage.example`));
      await ask(uri('tls-verify-peer=false'));
      await refused(
        uri(`tls-certificates=${others}`),
        /the certificate of the server is not trusted: unable to verify/,
      );
      await refused(
        uri(`tls-certificates=${ours}&tls-hostname=example.org`),
        /not trusted: it is made out to storage\.example, and not to example\.org$/,
      );
      await refused(uri(`tls-certificates=${FOLDER}`), /cannot read .*ca-cert\.pem: No such file/);
      await refused(SHARED, /is not trusted|TLS with the server fails|closes the connection/);
      await withEnvironment({ SSL_CERT_FILE: undefined, SSL_CERT_DIR: join(FOLDER, 'nowhere') }, async () => {
        await refused(uri('tls-hostname=storage.example'), /no certificates of authorities: there is no .*nowhere/);
        await ask(uri('tls-verify-peer=false'));
      });
      await refused(uri('tls-hostname=storage.example'), /not trusted: (?:unable to verify|self-signed)/);
    });
    const strict = { secureContext: createSecureContext({ cert, key, ca: readFileSync(join(ours, 'ca-cert.pem')) }) };
    await withServer({ ...strict, requestCert: true, rejectUnauthorized: true }, async () => {
      await refused(uri(`tls-certificates=${ours}`), /TLS with the server fails|closes the connection/);
      writeCertificate(ours, 'client', makeCertificate(authority, 'client'));
      assert.equal((await ask(uri(`tls-certificates=${ours}`))).bytes, DISK);
    });
  });
});

describe('files for TLS that cannot be used are named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nbd-tls-files-'));
  const authority = makeAuthority(join(folder, 'good'), 'files');
  const { cert, key } = makeCertificate(authority, 'client');
  const other = makeCertificate(authority, 'other');
  after(() => rmSync(folder, { recursive: true }));

  for (const [file, contents, why] of [
    ['ca-cert.pem', '', /ca-cert\.pem has no certificate in PEM/],
    ['ca-cert.pem', 'rubbish', /ca-cert\.pem has no certificate in PEM/],
    ['client-cert.pem', 'rubbish', /client-cert\.pem has no certificate in PEM/],
    ['client-key.pem', 'rubbish', /client-key\.pem is not a usable key of client-cert\.pem/],
    ['client-key.pem', other.key, /client-key\.pem is not a usable key of client-cert\.pem.*mismatch/],
    ['ca-crl.pem', 'rubbish', /ca-crl\.pem has no list of revoked certificates/],
  ] as const) {
    test(`${file}, ${why.source}`, () => {
      writeCertificate(authority.folder, 'client', { cert, key });
      const certificates = mkdtempSync(join(folder, 'bad-'));
      cpSync(authority.folder, certificates, { recursive: true });
      connectionOptions({ certificates, verifyPeer: true }, 'host');
      writeFileSync(join(certificates, file), contents);
      assert.throws(() => connectionOptions({ certificates, verifyPeer: true }, 'host'), why);
    });
  }

  for (const [contents, why] of [
    ['', /has no key$/],
    ['alice', /the line of .* is not USER:HEX/],
    ['alice:xyz', /the key of alice in .* is not hexadecimal/],
    [`alice:${'ab'.repeat(513)}`, /the key of alice in [^ ]* is longer than 512 bytes$/],
    [`${'a'.repeat(257)}:ab`, /has a name of more than 256 bytes/],
  ] as const) {
    test(`a key, ${why.source}`, () => {
      const pskFile = join(folder, 'key');
      writeFileSync(pskFile, contents);
      assert.throws(() => connectionOptions({ pskFile, verifyPeer: true }, 'host'), { message: why });
    });
  }

  test('a file of keys that is not there, with how to make one', () => {
    const missing = { pskFile: join(folder, 'missing'), verifyPeer: true };
    assert.throws(() => connectionOptions(missing, 'host'), { message: /cannot read .*missing/, hint: /psktool/ });
  });
});

test('an error of TLS while data is written has the reason in words, and nothing of the inside of OpenSSL', () => {
  const where = '../deps/openssl/openssl/ssl/record/rec_layer_s3.c:1119';
  const thrown = `write EPROTO C0E6FFE9097F0000:error:0A0000F5:SSL routines:ssl3_read_bytes:unexpected record:${where}:\n`;
  const { message, code } = tlsError(Object.assign(new Error(thrown), { code: 'EPROTO' }));
  assert.deepEqual([message, code], ['TLS with the server fails: unexpected record', 'EPROTO']);
});

async function withEnvironment(changes: NodeJS.ProcessEnv, act: () => Promise<void>): Promise<void> {
  const before = process.env;
  process.env = { ...before, ...changes };
  try {
    await act();
  } finally {
    process.env = before;
  }
}

/** A server that takes whoever has the key of alice. */
function shared(): TLSSocketOptions {
  return {
    pskCallback: (_socket: unknown, identity: string) => (identity === 'alice' ? KEY : null),
    ciphers: 'TLS_AES_128_GCM_SHA256:PSK',
  } as TLSSocketOptions;
}

const NO_LIMITS = { idleSeconds: 1, probeSeconds: 1, probes: 1, unacknowledgedMs: 1000 };
const CHUNK = Buffer.alloc(64 << 10);

/** Has a tunnel to a server that does not read, and writes until nothing more goes. */
async function withFullTunnel(
  use: (full: { readonly tunnel: Tunnel; readonly inner: TLSSocket; readonly written: number }) => Promise<void>,
): Promise<void> {
  let inner: TLSSocket | undefined;
  const listener = createServer((socket) => (inner = new TLSSocket(socket, { ...shared(), isServer: true })));
  listener.listen(SOCKET);
  await once(listener, 'listening');
  const fd = startConnecting({ family: 'unix', path: SOCKET }, NO_LIMITS);
  const tunnel = await openTunnel({ fd, tls: { verifyPeer: true, pskFile: KEYS, user: 'alice' }, host: undefined });
  setBlocking(tunnel.fd, false);
  let written = 0;
  for (let quiet = 0; quiet < 20; quiet++) {
    const count = writeSome(tunnel.fd);
    written += count;
    if (count > 0) quiet = 0;
    await sleep(5);
  }
  assert.ok(written > 64 << 10 && written < 4 << 20, `${written} bytes are under way`);
  assert.ok(inner !== undefined);
  await use({ tunnel, inner, written });
  listener.close();
}

/** Writes until the socket is full. Returns how many bytes it has taken. */
function writeSome(fd: number): number {
  try {
    return writeSync(fd, CHUNK);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN');
    return 0;
  }
}

/** Counts what comes, until so many bytes have come or the connection has ended. */
async function receive(socket: TLSSocket, bytes: number): Promise<number> {
  let count = 0;
  const ended = Promise.withResolvers<void>();
  socket.on('error', () => ended.resolve());
  socket.on('close', () => ended.resolve());
  socket.on('data', (piece: Buffer) => {
    count += piece.length;
    if (count >= bytes) ended.resolve();
  });
  await ended.promise;
  return count;
}

function uri(more: string): string {
  return `nbds+unix:///?socket=${SOCKET}&${more}`;
}

function ask(text: string) {
  return askExport(parseNbdUri(text));
}

async function refused(text: string, message: RegExp): Promise<void> {
  await assert.rejects(ask(text), message);
}

async function withServer(secure: TLSSocketOptions | undefined, use: (server: HostileServer) => Promise<void>) {
  const server = await hostileServer(SOCKET, DISK, secure);
  try {
    await use(server);
  } finally {
    await server.close();
  }
}

async function withClient(use: (client: NbdClient) => Promise<void>): Promise<void> {
  const client = new NbdClient(4, LARGEST);
  await client.connect({ uri: SHARED });
  try {
    await use(client);
  } finally {
    client.close();
  }
}

function ringRefusal(): string | false {
  try {
    new Ring(8, 16).close();
    return false;
  } catch (error) {
    return (error as Error).message;
  }
}
