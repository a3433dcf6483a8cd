/** The options of the target nbd: what is recorded of them, and which do not go together. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectionOptions, parseNbdOptions, recordedNbdOptions } from '../../../src/targets/nbd/options.ts';

describe('the options of nbd', () => {
  test('of TLS are recorded in the URI, with absolute paths, and mean the same when they are read again', () => {
    const options = { uri: 'nbds://host/disk', tls_certificates: 'pki', tls_verify_peer: 'no', reconnect_delay: '5' };
    const recorded = recordedNbdOptions(options);
    const uri = `nbds://host/disk?tls-certificates=${process.cwd()}/pki&tls-verify-peer=false`;
    assert.deepEqual(recorded, { uri, reconnect_delay: '5' });
    assert.deepEqual(recordedNbdOptions(recorded), recorded);
    assert.deepEqual(parseNbdOptions(options), parseNbdOptions(recorded));
  });

  test('of TLS take the place of those in the URI, and go together with the user in it', () => {
    const { uri } = parseNbdOptions({ uri: 'nbds://bob@host/?tls-psk-file=/a', tls_psk_file: '/b' });
    assert.deepEqual(uri.tls, { verifyPeer: true, user: 'bob', pskFile: '/b' });
    const recorded = recordedNbdOptions({ uri: 'nbds://bob@host/', tls_psk_file: '/b' });
    assert.deepEqual(recorded, { uri: 'nbds://bob@host/?tls-psk-file=/b' });
  });

  for (const [options, why] of [
    [{ tls_psk_file: '/k', tls_certificates: '/c' }, /tls-certificates is of no effect with tls-psk-file/],
    [{ tls_psk_file: '/k', tls_hostname: 'h' }, /tls-hostname is of no effect/],
    [{ tls_psk_file: '/k', tls_verify_peer: 'no' }, /tls-verify-peer is of no effect/],
    [{ tls_certificates: '' }, /tls-certificates is empty/],
    [{ tls_verify_peer: 'perhaps' }, /tls_verify_peer.* "perhaps" is neither yes nor no/],
  ] as const) {
    test(`of TLS are refused: ${Object.keys(options).join(' and ')}`, () => {
      assert.throws(() => parseNbdOptions({ uri: 'nbds://host/', ...options }), why);
    });
  }

  test('of TLS are refused without it', () => {
    const options = { uri: 'nbd://host/disk', tls_psk_file: '/k' };
    assert.throws(() => parseNbdOptions(options), /tls_psk_file.* cannot be used with "nbd:\/\/host\/disk"/);
  });

  test('with a program are those of a connection to the socket of the device', () => {
    const options = { program: 'nbdkit null', directory: '/', reconnect_delay: '5' };
    const uri = 'nbd+unix:///?socket=/run/ublkts/7.program/socket';
    assert.deepEqual(connectionOptions(options, 7), { uri, reconnect_delay: '5' });
    const named = 'nbd+unix:///a%20b?socket=/run/ublkts/7.program/socket';
    assert.equal(connectionOptions({ ...options, export: 'a b' }, 7)['uri'], named);
  });

  for (const [how, name, why] of [
    ['that is too long', 'x'.repeat(4097), /export` is longer than 4096 bytes$/],
    ['with a null character', 'a\0b', /export` has a null character/],
    ['that is no text', '\ud800', /export` is not Unicode text$/],
  ] as const) {
    test(`with a program name no export ${how}`, () => {
      assert.throws(() => connectionOptions({ program: 'nbdkit null', directory: '/', export: name }, -1), {
        message: why,
      });
    });
  }

  test('name an export for a program only: that of a URI stands in it', () => {
    assert.throws(() => parseNbdOptions({ uri: 'nbd://host', export: 'a' }), /export.* goes with a program, and .*uri/);
  });
});
