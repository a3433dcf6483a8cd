import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatNbdUri, parseNbdUri } from '../../../src/targets/nbd/uri.ts';

describe('an NBD URI', () => {
  for (const [text, address, exportName] of [
    ['nbd://host', { kind: 'tcp', host: 'host', port: 10_809 }, ''],
    ['nbd://host:1234/disk', { kind: 'tcp', host: 'host', port: 1234 }, 'disk'],
    ['NBD://host/a/b%20c', { kind: 'tcp', host: 'host', port: 10_809 }, 'a/b c'],
    ['nbd://[fe80::1%25eth0]:10/x', { kind: 'tcp', host: 'fe80::1%eth0', port: 10 }, 'x'],
    ['nbd:///x', { kind: 'tcp', host: 'localhost', port: 10_809 }, 'x'],
    ['nbd+unix:///?socket=/run/a', { kind: 'unix', path: '/run/a' }, ''],
    ['nbd+unix:///%2Fx?socket=/run/a%3fb', { kind: 'unix', path: '/run/a?b' }, '/x'],
  ] as const) {
    test(`${text} says where the export is`, () => assert.deepEqual(parseNbdUri(text), { address, exportName }));
  }

  for (const [text, tls] of [
    ['nbds://host/x', { verifyPeer: true }],
    ['nbds://bob@host/x?tls-psk-file=/k', { verifyPeer: true, pskFile: '/k', user: 'bob' }],
    [
      'nbds://host/x?tls-certificates=/c&tls-hostname=h&tls-verify-peer=false',
      { verifyPeer: false, certificates: '/c', hostname: 'h' },
    ],
  ] as const) {
    test(`${text} says what TLS needs, and is written as it was read`, () => {
      const address = { kind: 'tcp', host: 'host', port: 10_809 } as const;
      assert.deepEqual(parseNbdUri(text), { address, exportName: 'x', tls });
      assert.equal(formatNbdUri(parseNbdUri(text)), text);
    });
  }

  test('of a unix socket may name the user of TLS', () => {
    const text = 'nbds+unix://bob%3A@/x?socket=/a&tls-psk-file=/k%26';
    assert.deepEqual(parseNbdUri(text).tls, { verifyPeer: true, pskFile: '/k&', user: 'bob:' });
    assert.equal(formatNbdUri(parseNbdUri(text)), text);
  });

  test('with the relative path of a socket is recorded with an absolute one', () => {
    assert.equal(formatNbdUri(parseNbdUri('nbd+unix:///d?socket=a b')), `nbd+unix:///d?socket=${process.cwd()}/a%20b`);
  });

  for (const text of [
    'nbd://host/',
    'nbd://[::1]:99/a/b%3Fc',
    'nbd://[fe80::1%25lo]/',
    'nbd+unix:///x%20y?socket=/run/a%26b',
  ]) {
    test(`${text} is written as it was read`, () => assert.equal(formatNbdUri(parseNbdUri(text)), text));
  }

  for (const [text, why] of [
    ['disk.img', /does not begin with/],
    ['http://host/x', /does not begin with/],
    ['nbd://host/x?tls-certificates=/a', /belongs to nbds/],
    ['nbds://host/x?socket=/a', /belongs to nbd\+unix/],
    ['nbd+unix:///x', /names no socket/],
    ['nbd+unix://host/x?socket=/a', /has no host/],
    ['nbd://host/x?socket=/a', /belongs to nbd\+unix/],
    ['nbd://user@host/', /a user belongs to nbds/],
    ['nbds://user:secret@host/', /a password/],
    ['nbds://host/?tls-verify-per=no', /"tls-verify-per" is not a parameter/],
    ['nbds://host/?tls-verify-peer=perhaps', /tls-verify-peer "perhaps" is neither true nor false/],
    ['nbds://host/?tls-verify-peer=', /tls-verify-peer is empty/],
    ['nbds://host/?tls-certificates=', /tls-certificates is empty/],
    ['nbds://host/?tls-psk-file', /tls-psk-file is empty/],
    ['nbds://host/?tls-hostname=', /tls-hostname is empty/],
    ['nbds://host/?tls-psk-file=/k&tls-certificates=/c', /tls-certificates is of no effect with tls-psk-file/],
    ['nbds://host/?tls-psk-file=/k&tls-hostname=h', /tls-hostname is of no effect/],
    ['nbds://host/?tls-psk-file=/k&tls-verify-peer=no', /tls-verify-peer is of no effect/],
    ['nbds://user@host/', /a user belongs to tls-psk-file/],
    ['nbd+unix:///?socket=/a&socket=/b', /socket is there twice/],
    ['nbd+unix:///?socket=@name', /abstract/],
    ['nbd://host/a#b', /a fragment/],
    ['nbd://[nonsense]/', /\[nonsense\] is not an IPv6 address/],
    ['nbd://[::1::]/', /is not an IPv6 address/],
    ['nbd://[fe80::1%25]/', /is not an IPv6 address/],
    ['nbd://[FE80::1]/', /\[FE80::1\] is link-local, and its network interface is not named/],
    ['nbd://host:70000/', /not a port/],
    ['nbd://host/%ff', /percent-encoded/],
    ['nbd://host/%00', /null character/],
    [`nbd://host/${'x'.repeat(4097)}`, /longer than 4096 bytes/],
    ['nbd://host/\ud800', /is not percent-encoded UTF-8/],
    [`nbd+unix:///?socket=/${'x'.repeat(108)}`, /too long/],
  ] as const) {
    test(`${text.slice(0, 40)} is refused in words`, () => assert.throws(() => parseNbdUri(text), why));
  }
});
