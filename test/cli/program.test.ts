import assert from 'node:assert/strict';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { NO_DRIVER } from '../../src/control/missing-driver.ts';
import { ROOT, ublkts } from './run.ts';

const BIN = `${ROOT}bin/run.js`;
const noDriver = { skip: existsSync('/dev/ublk-control') && 'this machine has the ublk driver' };

describe('help and version', () => {
  test('--version names the program, its version and Node', () => {
    const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { version: string };
    for (const line of ['--version', 'version']) {
      const { code, stdout } = ublkts(line);
      assert.equal(code, 0);
      assert.match(stdout, new RegExp(`^ublkts/${version} linux-\\S+ node-v`));
    }
  });

  test('a user that nobody knows, as in a container, is served too', (t) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, 'help', 'list'], {
      encoding: 'utf8',
      env: {},
      ...(process.getuid?.() === 0 ? { uid: 54_321 } : {}),
    });
    // Somebody else's home, or a Node in it, is not to be read by everybody.
    if (status === null || /EACCES|Cannot find module/.test(stderr)) t.skip('this tree is for its owner only');
    else assert.match(stdout, /^Show the ublk devices,/, stderr);
  });

  test('help is read to its end by a program that takes its time', () => {
    // The pipe has room for a page, and nobody reads it before the program would end.
    const slow = String.raw`fcntl(STDIN, 1031, 4096); sleep 2; print while <STDIN>`;
    const { stdout } = spawnSync('bash', ['-c', `"$0" "$1" help add | perl -e '${slow}'`, process.execPath, BIN], {
      encoding: 'utf8',
    });
    assert.equal(stdout, ublkts('help add').stdout);
    assert.ok(stdout.length > 8192);
  });

  test('what cannot be written is said in one line, and is a failure', () => {
    for (const words of [
      '--version',
      'help',
      'list --json',
      'completion bash',
      'nosuch --json',
      'monitor',
      'monitor --json',
    ]) {
      const full = openSync('/dev/full', 'w');
      const { status, stderr } = spawnSync(process.execPath, [`${ROOT}bin/run.js`, ...words.split(' ')], {
        stdio: ['ignore', full, 'pipe'],
        encoding: 'utf8',
      });
      closeSync(full);
      assert.deepEqual([status, stderr], [1, 'ublkts: cannot write to stdout: ENOSPC\n'], words);
    }
  });

  test('a result without text needs no room on a full disk', noDriver, () => {
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, [BIN, 'list'], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    closeSync(full);
    assert.deepEqual([status, stderr.includes('ENOSPC')], [0, false], stderr);
  });

  test('a message that cannot be written leaves the exit code as it is', () => {
    const full = openSync('/dev/full', 'w');
    const exitCodes = ['nosuch', 'metrics'].map(
      (command) =>
        spawnSync(process.execPath, [`${ROOT}bin/run.js`, command], { stdio: ['ignore', 'pipe', full] }).status,
    );
    closeSync(full);
    assert.deepEqual(exitCodes, [127, 0]);
  });

  test('help lists the commands, once each', () => {
    for (const line of ['help', '--help', '-h']) {
      const { code, stdout } = ublkts(line);
      assert.equal(code, 0);
      for (const command of ['add', 'del', 'list', 'features', 'update_size', 'doctor']) {
        assert.equal(stdout.match(new RegExp(`^  ${command} `, 'gm'))?.length, 1, command);
      }
      assert.doesNotMatch(stdout, /update-size|^ {2}rm /m);
    }
  });

  test('help of a command is there under each of its names', () => {
    const { stdout } = ublkts('help update_size');
    assert.match(stdout, /--size=SIZE/);
    for (const line of ['help update-size', 'update_size --help', 'update-size -h']) {
      assert.equal(ublkts(line).stdout, stdout);
    }
  });

  test('no line of a help is too long for a terminal, except a command that must be typed as it is', () => {
    for (const line of ['help', 'help add', 'help bench', 'help monitor', 'help lab run']) {
      const tooLong = ublkts(line)
        .stdout.split('\n')
        .filter((text) => text.length > 80);
      assert.deepEqual(
        tooLong.filter((text) => !text.startsWith('  $ ')),
        [],
      );
    }
  });

  test('a value that may be left out stands behind its =, as it must be typed', () => {
    const { stdout } = ublkts('help add');
    assert.match(stdout, /\[--server\[=NAME\]\]/);
    assert.match(stdout, /^ {2}--server\[=NAME\]\n/m);
    assert.doesNotMatch(stdout, /--server[ =]\[/);
  });

  test('help of add ends with the options of the target that is named, however the words are joined', () => {
    const wanted = /\nTARGET examples\/ram\.ts: a disk in memory\n {2}-o size=VALUE/;
    for (const words of ['-t examples/ram.ts --help', '-texamples/ram.ts --help', '-ztexamples/ram.ts -h'])
      assert.match(ublkts(`add ${words}`).stdout, wanted, words);
    assert.match(ublkts('help add --type=examples/ram.ts').stdout, wanted);
    assert.doesNotMatch(ublkts('add --nothing -h').stdout, /TARGET examples/);
  });

  test('the program alone prints the same help, and that is no error', () => {
    assert.deepEqual(ublkts(''), { ...ublkts('help'), code: 0, stderr: '' });
  });
});

describe('what is mistyped', () => {
  test('a command under the name that other programs give it is recognised', () => {
    for (const [word, command] of [
      ['delete', 'del'],
      ['remove', 'del'],
      ['create', 'add'],
      ['status', 'list'],
    ]) {
      assert.equal(
        ublkts(`${word} -n 0`).stderr,
        `ublkts ${word}: no such command: ${word}\nhint: did you mean ${command}?\n`,
      );
    }
  });

  test('an unknown command is 127, with the one that was meant', () => {
    assert.deepEqual(ublkts('lsit'), {
      code: 127,
      stdout: '',
      stderr: 'ublkts lsit: no such command: lsit\nhint: did you mean list?\n',
    });
  });

  test('so is an unknown command of a topic', () => {
    const { code, stderr } = ublkts('lab rnu');
    assert.equal(code, 127);
    assert.equal(stderr, 'ublkts lab: no such command: lab rnu\nhint: did you mean lab run?\n');
  });

  test('help for a command that a topic does not have is refused like the command', () => {
    for (const words of ['help lab rnu', 'lab rnu --help']) {
      const { code, stdout, stderr } = ublkts(words);
      assert.deepEqual([code, stdout], [127, ''], words);
      assert.match(stderr, /: no such command: lab rnu\nhint: did you mean lab run\?\n$/, words);
    }
  });

  test('an error of a command of a topic begins with both of its words', () => {
    assert.match(ublkts('lab run --memory much -- true').stderr, /^ublkts lab run: --memory: size "much"/);
    const separator = /^ublkts lab run: no such flag: -l\nhint: flags of the command come after --: /;
    assert.match(ublkts('lab run ls -l').stderr, separator);
    assert.match(ublkts('lab run -l -- ls').stderr, /no such flag: -l\nhint: --help lists the flags\n/);
    assert.doesNotMatch(ublkts('lab run --memory much ls').stderr, /come after --/);
    assert.match(ublkts('lab run').stderr, /^ublkts lab run: no command is given\nhint: /);
    assert.match(ublkts('ls -n foo').stderr, /^ublkts ls: --number: "foo"/);
  });

  test('an unknown flag is 2, with the one that was meant', () => {
    assert.deepEqual(ublkts('list --fromat json'), {
      code: 2,
      stdout: '',
      stderr: 'ublkts list: no such flag: --fromat\nhint: did you mean --format?\n',
    });
  });

  const lines: [string, RegExp][] = [
    ['list -n foo', /--number: "foo" is not a ublk device\nhint: /],
    ['list -n 1048576', /out of range/],
    ['list --format yaml', /--format yaml is not possible\nhint: it is one of kublk, table, json/],
    ['list -n', /--number needs a value\nhint: write `--number DEVICE`\n/],
    ['monitor --once --count 2', /--once\nhint: give one of them\n/],
    ['list --all=1', /--all takes no value/],
    ['features x', /unexpected argument: x\nhint: for example `ublkts features`\n/],
    ['reg-buf 0 /dev/shm/b', /unexpected argument: .*\nhint: for example `ublkts reg-buf -n 0 /],
    ['del', /no device is named\nhint: .*-n.*-a/],
    ['stop', /no device is named/],
    ['stop 1 -n 2', /two devices are named: 2 and 1/],
    ['update_size -n 0', /no size is named\nhint: .*-n 0 -s 1G/],
    ['update_size 0', /no size is named/],
    ['update_size 1G', /"1G" is not a ublk device\nhint: .*-s 1G/],
    ['update_size -n 0 1000', /not a multiple of 512/],
    ['update_size -n 0 -s 1G 1', /two devices are named: 0 and 1/],
    ['update_size 1 -n 0 1G', /two devices are named: 0 and 1/],
    ['update_size -n 0 1G -s 1G', /two sizes are named: with -s, and the word "1G"/],
    ['update_size 0 1024 -s 1G', /two sizes are named: with -s, and the word "1024"/],
    ['add -t loop', /takes 1 backing file, not 0\nhint: .*ublkts add -t loop FILE/],
    ['add -t nbd --bogus', /no such flag: --bogus/],
    ['add -t nbd -o bogus=1 /tmp/x', /target nbd has no option -o bogus\nhint: it has --uri, --program, /],
    ['add -t nbd /tmp/x', /takes no backing file, not 1\nhint: give it a URI such as nbd:.*, or -- PROGRAM/],
    [
      'add -t nbd --uri nbd://a nbd://b',
      /the option uri of the target is named in two ways\nhint: name it in one way\n/,
    ],
    ['add -t null -s 1G -o size=2G', /the option size of the target is named in two ways/],
    ['add -t nbd', /needs --uri\nhint: .*nbd:.*ublkts add -t nbd -- nbdkit/],
    ['add -t nbd -o reconnect_delay=x nbd://h', /"x" is not a number of seconds\nhint: it goes from 0 to 2000000/],
    [
      'add -t nbd --structured_replies --auto_zc nbd://h',
      /--structured_replies and the data path auto_zc exclude each other\nhint: .*another --data_path/,
    ],
    ['add -t nbd nbd://h/ --metadata_size 8 -u', /stores no integrity metadata\nhint: leave --metadata_size out/],
    ['add -t null -s 1000', /--size 1000 is 1000 bytes, .*\nhint: the nearest are 512 and 1024/],
    ['add -t fault_inject -o delay_us=x', /--delay_us x is not a whole number/],
    ['add -t stripe --chunk_size 3k /tmp/x', /3072 is not a power of 2\nhint: it is a power of 2 from 4K to 512K/],
    ['add -t loop --offset 7 /tmp/x', /--offset 7 is 7 bytes, .*\nhint: the next is 512/],
    ['add -t ./examples/ram.ts -o size=big', /--size "big" is not a size\nhint: write 512/],
    ['nbd-info', /^ublkts nbd-info: URI is missing\nhint: --help .*examples/],
    ['target new', /^ublkts target new: NAME is missing\nhint: --help/],
    ['completion', /SHELL is missing\nhint: it is one of bash, zsh, fish/],
    ['serve --threads 33', /a server cannot have 33 shared threads\nhint: from 0 to 32 are possible/],
    ['update_size -n 0 -s 1000', /not a multiple of 512/],
    ['update_size -n 0 -s 1.5', /not a whole number of bytes/],
    ['quiesce -n 0 --timeout_ms soon', /not a whole number/],
    ['bench', /no device is named/],
    ['bench -n 0 --seconds soon', /"soon" is not an interval/],
    ['add -t null --cpus 3-1', /3-1 goes backwards/],
    ['recover', /no device is named/],
    ['recover -n x', /not a ublk device/],
    ['reg-buf /dev/shm/b', /no device is named/],
    ['reg-buf -n 0', /no buffer is named/],
    ['reg-buf -n 0 --memfd 100', /not a multiple of 4096/],
    ['reg-buf -n 0 --memfd 4k /dev/shm/b', /a file and --memfd are both given/],
    ['reg-buf -n 0 --seal /dev/shm/b', /--seal needs --memfd/],
    ['unreg-buf -n 0', /no buffer is named/],
    ['unreg-buf -n 0 1 --all', /an index and --all are both given/],
    ['unreg-buf -n 0 one', /"one" is not the index of a buffer\nhint: `ublkts list --json` shows it/],
    ['set_params --logical_bs_shift 256', /256 is too large/],
    ['set_params --param_types basic,big', /--param_types basic,big is not possible/],
    ['add', /no target is named/],
    ['add -t null -r 2', /-r takes 0 or 1, not "2"/],
    ['add -t null -r yes', /-r takes 0 or 1, not "yes"\nhint: write `-r 1`\n/],
    ['add -t null -r off', /-r takes 0 or 1, not "off"\nhint: write `-r 0`\n/],
    ['add -t null --debug_mask xyz', /not a hexadecimal mask/],
    ['add -t null -o broken', /is not NAME=VALUE/],
    ['completion tcsh', /"tcsh" is not possible\nhint: it is one of bash, zsh, fish/],
    ['--bogus', /no such flag: --bogus/],
    ['--no-color list', /--no-color stands before the command\nhint: flags follow it: `ublkts list --no-color`\n/],
    ['-n 0 list', /-n stands before the command\nhint: flags follow it: `ublkts list -n 0`\n/],
    ['--no-color lab build', /--no-color stands before .*\nhint: flags follow it: `ublkts lab build --no-color`\n/],
    ['--data-path copy add', /--data-path stands before .*\nhint: flags follow it: `ublkts add --data-path copy`\n/],
    ['-n0 list', /-n0 stands before .*\nhint: flags follow it: `ublkts list -n0`\n/],
    ['--no-color', /--no-color is a flag of commands, and no command is named\nhint: `ublkts help` /],
    ['--bogus list', /no such flag: --bogus/],
    ['help lsit', /did you mean list/],
  ];
  for (const [line, message] of lines) {
    test(`\`${line}\` says so in one line`, () => {
      const { code, stdout, stderr } = ublkts(line);
      assert.equal(code, line.startsWith('help') ? 127 : 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, message);
      assert.ok(stderr.split('\n').length <= 3, stderr);
      assert.doesNotMatch(stderr, /^\s+at |See more help/m);
    });
  }
});

test('an address that cannot be listened on is told from a port that is in use', () => {
  const { code, stderr } = ublkts('metrics --listen 192.0.2.1:9432');
  assert.equal(code, 1);
  assert.match(stderr, /Cannot assign requested address \(EADDRNOTAVAIL\)\nhint: name an address of this machine/);
});

test('a directory that was deleted is said to be the reason, where a command needs it', () => {
  const lost = mkdtempSync(join(tmpdir(), 'ublkts-lost-'));
  const inLost = (words: string) => {
    const script = `cd ${lost} && rmdir ${lost} && exec "$0" ${ROOT}bin/run.js ${words}`;
    const { status, stderr } = spawnSync('sh', ['-c', script, process.execPath], { encoding: 'utf8' });
    mkdirSync(lost);
    return { status, stderr };
  };
  for (const words of ['add -t loop x.img', 'target check ./x.ts']) {
    const { status, stderr } = inLost(words);
    assert.equal(status, 2, words);
    assert.match(stderr, /: the current directory was deleted\nhint: change to a directory that is there\n$/);
  }
  const { status, stderr } = inLost(`target check ${ROOT}examples/ram.ts -o size=1M`);
  assert.equal(status, 0, stderr);
  rmdirSync(lost);
});

describe('--json', () => {
  test('an error is one object on stdout, and nothing else is anywhere', () => {
    for (const line of ['list --json -n foo', 'list --fromat x --json', 'del --json', 'lsit --json']) {
      const { stdout, stderr } = ublkts(line);
      assert.equal(stderr, '', line);
      const { version, error } = JSON.parse(stdout) as { version: number; error: object };
      assert.equal(version, 1);
      assert.deepEqual(Object.keys(error), ['code', 'message', 'command', 'device', 'hint']);
    }
  });

  test('no devices are an empty list', noDriver, () => {
    const stdout = `{"version":1,"devices":[],"notice":${JSON.stringify(NO_DRIVER)}}\n`;
    assert.deepEqual(ublkts('list --json'), { code: 0, stdout, stderr: '' });
    assert.deepEqual(ublkts('ls --format=json').stdout, stdout);
  });

  test('doctor reports its checks', () => {
    const { stdout } = ublkts('doctor --json');
    const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string; hint: string | null }[] };
    assert.ok(checks.some(({ name, status }) => name === 'ffi-rs' && status === 'ok'));
    for (const { name, status, hint } of checks) assert.equal(hint === null, status === 'ok', name);
  });
});

describe('a machine without the driver', noDriver, () => {
  test('is 3, with what to load', () => {
    const sizes = ['update_size -n 0 1G', 'update_size 0 1G', 'update_size 0 -s 1G'];
    for (const line of ['features', 'list -n 0', 'del -n 0', 'del 0 1 2', 'stop -n 0', 'quiesce -n 0', ...sizes]) {
      const { code, stderr } = ublkts(line);
      assert.equal(code, 3, line);
      assert.match(stderr, /^ublkts \S+: .*\/dev\/ublk-control.*\nhint: .*modprobe ublk_drv.*\n$/);
    }
  });

  test('--debug adds the stack', () => assert.match(ublkts('features --debug').stderr, /^ {4}at /m));

  test('has no devices, and that is no error', () => {
    assert.deepEqual(ublkts('del -a'), { code: 0, stdout: '', stderr: '' });
  });

  test('lists nothing, says on stderr that the driver is missing, and what to do', () => {
    for (const line of ['list', 'metrics']) {
      const { code, stderr } = ublkts(line);
      assert.equal(code, 0, line);
      assert.equal(stderr, `note: ${NO_DRIVER}\n`, line);
    }
    assert.equal(ublkts('list').stdout, '');
    assert.match(NO_DRIVER, /modprobe ublk_drv.*ublkts lab shell/);
  });

  test('says the same as `notice` in JSON, and nothing on stderr', () => {
    for (const line of ['list --json', 'metrics --json', 'monitor --once --interval 0.1']) {
      const { stdout, stderr } = ublkts(line);
      assert.equal((JSON.parse(stdout) as { notice: string }).notice, NO_DRIVER, line);
      assert.equal(stderr, '', line);
    }
  });
});

describe('colour', () => {
  test('is for terminals', () => assert.ok(!coloured('lsit', {})));
  test('can be asked for', () => assert.ok(coloured('lsit', { FORCE_COLOR: '1' })));
  test('never comes with NO_COLOR', () => assert.ok(!coloured('lsit', { FORCE_COLOR: '1', NO_COLOR: '1' })));
  test('nor with --no-color', () => assert.ok(!coloured('lsit --no-color', { FORCE_COLOR: '1' })));
  test('an empty NO_COLOR says nothing', () => assert.ok(coloured('lsit', { FORCE_COLOR: '1', NO_COLOR: '' })));
});

function coloured(line: string, env: Record<string, string>): boolean {
  return ublkts(line, { env }).stderr.includes('\u001b[');
}
