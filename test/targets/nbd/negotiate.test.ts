import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { UblkError } from '../../../src/errors.ts';
import { Conversation, type Dialogue } from '../../../src/targets/nbd/handshake/dialogue.ts';
import { chooseExport, describeExport, listExports, startTls } from '../../../src/targets/nbd/handshake/negotiate.ts';
import {
  NBD_FLAG_FIXED_NEWSTYLE,
  NBD_FLAG_HAS_FLAGS,
  NBD_FLAG_NO_ZEROES,
  NBD_FLAG_SEND_FLUSH,
  NBD_OPT_ABORT,
  NBD_OPT_EXPORT_NAME,
  NBD_OPT_GO,
  NBD_OPT_INFO,
  NBD_OPT_LIST,
  NBD_OPT_STARTTLS,
  NBD_OPT_STRUCTURED_REPLY,
  NBD_REP_ACK,
  NBD_REP_ERR_POLICY,
  NBD_REP_ERR_TLS_REQD,
  NBD_REP_ERR_UNKNOWN,
  NBD_REP_ERR_UNSUP,
  NBD_REP_SERVER,
} from '../../../src/targets/nbd/protocol/numbers.ts';
import {
  decodeOptions,
  encodeBlockSizeInfo,
  encodeExportInfo,
  encodeGreeting,
  encodeOptionReply,
} from './server-side.ts';

const FLAGS = NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH;
const GO = [
  encodeGreeting(),
  encodeExportInfo(NBD_OPT_GO, 4096n, FLAGS),
  encodeBlockSizeInfo(NBD_OPT_GO, 512, 4096, 65_536),
  encodeOptionReply(NBD_OPT_GO, NBD_REP_ACK),
];
const choose = (structured = false) => chooseExport({ exportName: 'disk', structured });

/** Plays the server's bytes in pieces, and returns what the client sent and found. */
function play<T>(dialogue: Dialogue<T>, bytes: Uint8Array, pieces: readonly number[] = []) {
  const conversation = new Conversation(dialogue);
  const sent = [conversation.start()];
  let at = 0;
  for (const length of [...pieces, bytes.length]) {
    sent.push(conversation.receive(bytes.subarray(at, at + length)));
    at += length;
  }
  return { result: conversation.result?.value, sent: Buffer.concat(sent), surplus: conversation.surplus };
}

describe('TLS', () => {
  const agreed = Buffer.concat([encodeGreeting(), encodeOptionReply(NBD_OPT_STARTTLS, NBD_REP_ACK)]);

  test('is asked for before anything else, wherever the input is cut; what follows needs no other greeting', () => {
    for (let at = 1; at < agreed.length; at++) {
      const { result, sent } = play(startTls(), agreed, [at]);
      assert.equal(result, NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES);
      assert.deepEqual(
        decodeOptions(sent).map(({ option }) => option),
        [NBD_OPT_STARTTLS],
      );
    }
    const secured = Buffer.concat(GO.slice(1));
    const later = play(chooseExport({ exportName: 'disk', structured: false }, NBD_FLAG_FIXED_NEWSTYLE), secured);
    assert.equal(later.result?.export.bytes, 4096);
  });

  test('bytes that somebody has put behind the agreement, before there is TLS, are seen', () => {
    assert.equal(play(startTls(), Buffer.concat([agreed, ...GO.slice(1)])).surplus, Buffer.concat(GO.slice(1)).length);
  });

  for (const type of [NBD_REP_ERR_UNSUP, NBD_REP_ERR_POLICY, NBD_REP_ERR_UNKNOWN]) {
    test(`a server that answers ${type} is refused, and nothing goes on in plain text`, () => {
      const bytes = Buffer.concat([encodeGreeting(), encodeOptionReply(NBD_OPT_STARTTLS, type), ...GO.slice(1)]);
      assert.throws(() => play(startTls(), bytes), /^UblkError: the server (?:does not offer|refuses) TLS/);
    });
  }
});

describe('the choice of an export', () => {
  const expected = {
    name: 'disk',
    description: null,
    bytes: 4096,
    flags: FLAGS,
    blockSizes: { minimum: 512, preferred: 4096, maximum: 65_536 },
  };

  test('asks for it and for its block sizes, and says what the server says', () => {
    const { result, sent, surplus } = play(choose(), Buffer.concat(GO));
    assert.deepEqual(result, { export: expected, structured: false });
    assert.equal(surplus, 0);
    const [option, ...others] = decodeOptions(sent);
    assert.deepEqual(others, []);
    assert.equal(option?.option, NBD_OPT_GO);
    assert.equal(option.data.toString('latin1'), '\0\0\0\x04disk\0\x01\0\x03');
  });

  test('is the same wherever its input is cut', () => {
    const bytes = Buffer.concat(GO);
    for (let at = 1; at < bytes.length; at++) {
      assert.deepEqual(play(choose(), bytes, [at]).result?.export, expected, `cut at ${at}`);
    }
    const one = Array.from({ length: bytes.length }, () => 1);
    assert.deepEqual(play(choose(), bytes, one).result?.export, expected);
  });

  test('has no result before all of it has come', () => {
    const bytes = Buffer.concat(GO);
    for (let at = 0; at < bytes.length; at++) {
      assert.equal(play(choose(), bytes.subarray(0, at)).result, undefined, `after ${at} bytes`);
    }
  });

  test('sees what comes behind it', () => {
    assert.equal(play(choose(), Buffer.concat([...GO, Buffer.from('more')])).surplus, 4);
  });

  for (const [type, structured] of [
    [NBD_REP_ACK, true],
    [NBD_REP_ERR_UNSUP, false],
  ] as const) {
    test(`has ${structured ? 'structured' : 'simple'} replies where the server answers ${type}`, () => {
      const [greeting, ...rest] = GO;
      const answer = encodeOptionReply(NBD_OPT_STRUCTURED_REPLY, type);
      const { result, sent } = play(choose(true), Buffer.concat([greeting!, answer, ...rest]));
      assert.equal(result?.structured, structured);
      assert.deepEqual(
        decodeOptions(sent).map(({ option }) => option),
        [NBD_OPT_STRUCTURED_REPLY, NBD_OPT_GO],
      );
    });
  }

  for (const zeroes of [true, false]) {
    test(`goes by name ${zeroes ? 'and zeroes ' : ''}where the server knows nothing newer`, () => {
      const answer = Buffer.alloc(zeroes ? 134 : 10);
      answer.writeBigUInt64BE(8192n);
      answer.writeUInt16BE(FLAGS, 8);
      const greeting = zeroes ? encodeGreeting(NBD_FLAG_FIXED_NEWSTYLE) : encodeGreeting();
      const bytes = Buffer.concat([greeting, encodeOptionReply(NBD_OPT_GO, NBD_REP_ERR_UNSUP), answer]);
      const { result, sent, surplus } = play(choose(), bytes);
      assert.deepEqual(result?.export, { ...expected, bytes: 8192, blockSizes: null });
      assert.equal(surplus, 0);
      assert.equal(decodeOptions(sent).at(-1)?.option, NBD_OPT_EXPORT_NAME);
    });
  }

  for (const [what, bytes, why] of [
    ['another protocol', Buffer.from('SSH-2.0-OpenSSH_9.2p1 and more'), /does not greet/],
    ['an oldstyle server', Buffer.from('4e42444d414749430000420281861253', 'hex'), /oldstyle/],
    ['a server without options', Buffer.concat([encodeGreeting(0)]), /FIXED_NEWSTYLE/],
    ['a name that there is not', reply(NBD_REP_ERR_UNKNOWN, 'no \x1b[2J'), /no such export \(no \\x1b\[2J\)/],
    ['a server that wants TLS', reply(NBD_REP_ERR_TLS_REQD), /wants TLS/],
    ['an answer to another option', Buffer.concat([encodeGreeting(), encodeOptionReply(9, NBD_REP_ACK)]), /option 9/],
    ['an export without a size', reply(NBD_REP_ACK), /size of the export/],
    [
      'more bytes than a number holds',
      withInfo(encodeExportInfo(NBD_OPT_GO, 2n ** 63n), encodeOptionReply(NBD_OPT_GO, NBD_REP_ACK)),
      /9223372036854775808 bytes, more than this program can serve/,
    ],
    ['blocks of 3 bytes', withInfo(encodeBlockSizeInfo(NBD_OPT_GO, 3, 4096, 65_536)), /block sizes are 3/],
    ['blocks of 0 bytes', withInfo(encodeBlockSizeInfo(NBD_OPT_GO, 0, 0, 0)), /block sizes are 0/],
    ['a reply of 4 GiB', longReply(), /4294967295 bytes/],
    ['information without an end', withInfo(...Array.from({ length: 101 }, () => GO[1]!)), /does not end/],
  ] as const) {
    test(`refuses ${what} in words`, () => {
      assert.throws(
        () => play(choose(), bytes),
        (error: unknown) => {
          assert.ok(error instanceof UblkError);
          assert.match(error.message, why);
          return true;
        },
      );
    });
  }

  test('has an error in words, or waits, for whatever comes', () => {
    const [greeting, ...rest] = GO;
    const noise = fc.uint8Array({ maxLength: 300 });
    const changed = fc.tuple(fc.nat(), fc.nat(255)).map(([at, value]) => {
      const bytes = Buffer.concat(GO);
      bytes[at % bytes.length] = value;
      return bytes;
    });
    const behindGreeting = noise.map((bytes) => Buffer.concat([greeting!, bytes, ...rest]));
    fc.assert(
      fc.property(fc.oneof(noise, changed, behindGreeting), (bytes) => {
        try {
          play(choose(), bytes);
        } catch (error) {
          assert.ok(error instanceof UblkError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a list of exports', () => {
  test('has what the server says of each', () => {
    const bytes = Buffer.concat([
      encodeGreeting(),
      listed('a', 'first'),
      listed('b'),
      encodeOptionReply(NBD_OPT_LIST, NBD_REP_ACK),
      encodeExportInfo(NBD_OPT_INFO, 512n, FLAGS),
      encodeOptionReply(NBD_OPT_INFO, NBD_REP_ACK),
      encodeExportInfo(NBD_OPT_INFO, 1024n, FLAGS),
      encodeOptionReply(NBD_OPT_INFO, NBD_REP_ACK),
    ]);
    const { result, sent } = play(listExports(), bytes);
    const common = { flags: FLAGS, blockSizes: null };
    assert.deepEqual(result, [
      { name: 'a', description: 'first', bytes: 512, ...common },
      { name: 'b', description: null, bytes: 1024, ...common },
    ]);
    const options = decodeOptions(sent).map(({ option }) => option);
    assert.deepEqual(options, [NBD_OPT_LIST, NBD_OPT_INFO, NBD_OPT_INFO, NBD_OPT_ABORT]);
  });

  test('goes on behind exports that cannot be used, and says why', () => {
    const bytes = Buffer.concat([
      encodeGreeting(),
      listed('large', 'first'),
      listed('gone'),
      listed('b'),
      encodeOptionReply(NBD_OPT_LIST, NBD_REP_ACK),
      encodeExportInfo(NBD_OPT_INFO, 2n ** 53n, FLAGS),
      encodeOptionReply(NBD_OPT_INFO, NBD_REP_ACK),
      encodeOptionReply(NBD_OPT_INFO, NBD_REP_ERR_UNKNOWN),
      encodeExportInfo(NBD_OPT_INFO, 2n ** 53n - 1n, FLAGS),
      encodeOptionReply(NBD_OPT_INFO, NBD_REP_ACK),
    ]);
    const { result } = play(listExports(), bytes);
    const [large, gone, last] = result ?? [];
    assert.ok(large !== undefined && 'problem' in large && gone !== undefined && 'problem' in gone);
    assert.deepEqual([large.name, large.description, gone.name], ['large', 'first', 'gone']);
    assert.match(large.problem, /9007199254740992 bytes, more than this program can serve/);
    assert.match(gone.problem, /no such export/);
    assert.deepEqual(last, { name: 'b', description: null, bytes: 2 ** 53 - 1, flags: FLAGS, blockSizes: null });
  });

  test('with a name that is longer than its message is refused', () => {
    const payload = Buffer.from('ffffffff61', 'hex');
    const bytes = Buffer.concat([encodeGreeting(), encodeOptionReply(NBD_OPT_LIST, NBD_REP_SERVER, payload)]);
    assert.throws(() => play(listExports(), bytes), /longer than its message/);
  });

  test('of one export asks for that one', () => {
    const bytes = Buffer.concat([
      encodeGreeting(),
      encodeExportInfo(NBD_OPT_INFO, 512n, FLAGS),
      encodeOptionReply(NBD_OPT_INFO, NBD_REP_ACK),
    ]);
    assert.equal(play(describeExport('x'), bytes).result?.bytes, 512);
  });
});

function reply(type: number, text = ''): Buffer {
  return Buffer.concat([encodeGreeting(), encodeOptionReply(NBD_OPT_GO, type, Buffer.from(text))]);
}

function withInfo(...infos: readonly Buffer[]): Buffer {
  return Buffer.concat([encodeGreeting(), ...infos]);
}

function longReply(): Buffer {
  const bytes = encodeOptionReply(NBD_OPT_GO, NBD_REP_ACK);
  bytes.writeUInt32BE(0xffff_ffff, 16);
  return Buffer.concat([encodeGreeting(), bytes]);
}

function listed(name: string, description = ''): Buffer {
  const bytes = Buffer.from(name);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return encodeOptionReply(NBD_OPT_LIST, NBD_REP_SERVER, Buffer.concat([length, bytes, Buffer.from(description)]));
}
