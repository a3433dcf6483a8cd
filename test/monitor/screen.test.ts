/** The screen as it is drawn, over made-up samples; and the terminal as it is left. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { statField } from '../../tools/guest/stat-field.ts';
import { PROGRAM, Terminal, type TerminalOptions } from './terminal.ts';

const PLAY = fileURLToPath(new URL('./play.ts', import.meta.url));
const noDriver = { skip: existsSync('/dev/ublk-control') && 'this machine has the ublk driver' };

async function withPlay(
  use: (terminal: Terminal) => Promise<void>,
  { args = [], ...options }: TerminalOptions & { args?: readonly string[] } = {},
): Promise<void> {
  const terminal = new Terminal([process.execPath, PLAY, ...args], options);
  try {
    await terminal.until(/q quit/);
    await use(terminal);
  } finally {
    await terminal.close();
  }
}

describe('the screen', { timeout: 120_000 }, () => {
  test('shows devices, which queue is busy and what matches, at 80x24', () =>
    withPlay(async (terminal) => {
      await terminal.until(/ublkb0 .*100%/);
      const text = await terminal.until(/queue 1 .* busiest/);
      assert.match(text, /ublkb0 +null +LIVE +1\d\.\dk/);
      assert.match(text, /ublkb1 +loop +LIVE/);
      assert.match(text, /ublkb2 +\(other\) +LIVE .*not known/);
      assert.match(text, /matched 100%/);
      assert.match(text, /nothing is copied/);
      assert.match(text, /queue 1 █+.*12 of 64/);
    }));

  test('follows the keys', () =>
    withPlay(async (terminal) => {
      await terminal.until(/busiest/);
      terminal.press('j\r');
      const device = await terminal.until(/\/dev\/ublkb1 LIVE {2}loop/);
      assert.match(device, /\[2 Device ublkb1\]/);
      assert.match(device, /registered 100%/);
      assert.match(device, /p50 /);
      terminal.press('3');
      await terminal.until(/ublkb0 +0 +4M +rw .*100% +\/mnt\/huge\/buf/);
      terminal.press('u');
      assert.match(await terminal.until(/Unregister buffer 0\?/), /\/mnt\/huge\/buf, 4M, of ublkb0/);
      terminal.press('n');
      await terminal.until((text) => !text.includes('Unregister buffer'));
      terminal.press('\t');
      await terminal.until(/\[4 Events/);
      terminal.press('\u001b');
      await terminal.until(/\[1 Devices\]/);
      terminal.press('/loop\r');
      await terminal.until((text) => text.includes('filter: loop') && !/ublkb0 +null/.test(text));
      terminal.press('\u001b');
      await terminal.until(/ublkb0 +null/);
      terminal.press('?');
      await terminal.until(/the request lay in a registered buffer/);
      terminal.press(' f');
      await terminal.until(/FROZEN/);
    }));

  test('fills 200x60 and follows a resize, without a rest of what was there before', () =>
    withPlay(
      async (terminal) => {
        await terminal.until(/busiest/);
        terminal.press('\r');
        const wide = await terminal.until(/BUFFERS ─+ registered memory/);
        assert.match(wide, /QUEUES ─.*HISTORY ─/);
        assert.match(wide, /16 - 32 µs +█+ +\d+%/);
        terminal.resize(80, 24);
        await terminal.until((text) => /^LATENCY/m.test(text) && text.endsWith('q quit'));
        const lines = await terminal.lines();
        assert.equal(lines.filter((line) => line.includes('ublkts monitor')).length, 1);
        assert.equal(lines.filter((line) => line.includes('q quit')).length, 1);
        assert.match(lines[0] ?? '', /ublkts monitor/);
        assert.match(lines[23] ?? '', /q quit/);
        terminal.resize(200, 60);
        await terminal.until(/QUEUES ─.*HISTORY ─/);
        assert.equal(await terminal.scrolledLines(), 0);
      },
      { columns: 200, rows: 60 },
    ));

  test('has no colours with NO_COLOR, and says everything still', () =>
    withPlay(
      async (terminal) => {
        const text = await terminal.until(/busiest/);
        assert.match(text, /▸ ublkb0/);
        const { buffer } = terminal;
        for (let row = 0; row < 24; row++) {
          for (let column = 0; column < 80; column++) {
            assert.ok(
              buffer
                .getLine(buffer.baseY + row)
                ?.getCell(column)
                ?.isFgDefault(),
            );
          }
        }
      },
      { env: { NO_COLOR: '1', FORCE_COLOR: '0' } },
    ));

  test('is ASCII where the locale is', () =>
    withPlay(
      async (terminal) => {
        const text = await terminal.until(/busiest/);
        assert.match(text, /^[ -~\n]*$/);
        terminal.press('\rd');
        assert.match(await terminal.until(/Delete ublkb0/), /^[ -~\n]*$/);
      },
      { env: { LANG: 'C' } },
    ));

  test('a key that comes before the first frame is taken, and not echoed into it', async () => {
    let pressed = false;
    let terminal: Terminal | undefined;
    const onData = () => {
      if (!pressed) terminal?.press('j');
      pressed = true;
    };
    terminal = new Terminal([process.execPath, PLAY], { onData });
    try {
      const text = await terminal.until(/▸ ublkb1 /);
      assert.match(text, /^ ublkts monitor/);
      assert.doesNotMatch(text, /^j|j$/m);
    } finally {
      await terminal.close();
    }
  });

  test('begins in the corner, wherever the cursor was in the shell', async () => {
    const terminal = new Terminal([
      'bash',
      '-c',
      'printf "\\n\\n%50s" typed; exec "$@"',
      'bash',
      process.execPath,
      PLAY,
    ]);
    try {
      assert.match(await terminal.until(/q quit/), /^ ublkts monitor .*\n \[1 Devices\]/);
    } finally {
      await terminal.close();
    }
  });

  test('has room for 20 devices, and says what is below', () =>
    withPlay(
      async (terminal) => {
        await terminal.until(/and \d+ below/);
        terminal.press('G');
        await terminal.until(/▸ ublkb19 .*not known/);
        await terminal.until(/and \d+ above/);
      },
      { args: ['20', '4'] },
    ));

  for (const columns of [80, 200]) {
    test(`keeps its columns, and shows control characters escaped, whatever a file is called, at ${columns} columns`, () =>
      withPlay(
        async (terminal) => {
          // The device with the awkward name is between two others: the columns behind the name are where theirs are.
          const seen = await terminal.until(/ublkb1 +loop .*busiest|ublkb1 +loop [^]*busiest/);
          const [heading = ''] = seen.split('\n').filter((line) => line.includes('TARGET'));
          for (const title of ['STATE', 'MATCHED']) {
            const at = heading.indexOf(title);
            const rows = (await terminal.columns(at, at + 4)).slice(3, 6);
            if (title === 'STATE') assert.deepEqual(rows, ['LIVE', 'LIVE', 'LIVE']);
            else assert.deepEqual(rows, ['████', '▓▓▓▓', 'not ']);
          }
          terminal.press('j\r');
          const device = await terminal.until(/\/dev\/ublkb1 LIVE {2}loop .*像\.img · 250G/);
          assert.equal(device.split('\n').filter((line) => line.includes('像.img')).length, 1);
          terminal.press('3');
          const buffers = await terminal.until(/\|[^|]+\| {2}\/磁盘/);
          assert.match(buffers, /SOURCE/);
          const source = (await terminal.lines())[2]!.indexOf('SOURCE');
          const [row = ''] = (await terminal.columns(source, columns)).slice(3, 4);
          if (columns === 200) assert.match(row, /^\/磁盘\/😀e\u0301\\x1b\[2J\\n映像\.img +\|/u);
          else assert.match(row, /^…/);
          terminal.press('u');
          await terminal.until(/Unregister buffer 0\?/);
          assert.match(await terminal.text(), /\/磁盘\/😀e\u0301\\x1b\[2J\\n映像\.img, 4M, of ublkb0/u);
          // The border of the question stands in one column.
          const lines = (await terminal.lines()).filter((line) => /^ *[│╭╰]/.test(line));
          const right = Math.floor((columns - Math.min(columns - 2, 76)) / 2) + Math.min(columns - 2, 76) - 1;
          const borders = (await terminal.columns(right, right + 1)).filter((cell) => /[│╮╯]/.test(cell));
          assert.equal(borders.length, lines.length);
        },
        { args: ['3', '4', 'names'], columns, rows: columns === 80 ? 24 : 60 },
      ));
  }

  test('is there after less than 0.7 s of work, the start of the program included', noDriver, async () => {
    let least = Number.POSITIVE_INFINITY;
    // Not the time on the clock, and the least of several, as the rest is about what else the machine does.
    for (let tries = 0; tries < 6 && least >= 0.7; tries++) {
      const terminal = new Terminal([process.execPath, PROGRAM, 'monitor']);
      try {
        await terminal.until(/There are no ublk devices\.[^]*modprobe ublk_drv[^]*ublkts lab shell/, 60_000);
        least = Math.min(least, cpuSeconds(terminal.pid) / slowness());
      } finally {
        await terminal.close();
      }
    }
    assert.ok(least < 0.7, `${least} s`);
  });
});

/** CPU seconds of a start of Node that does nothing, on a machine where the budget above holds. */
const BARE_NODE_SECONDS = 0.04;
const STARTS = 5;

/** How many times as much CPU time the same work takes here and now, on a machine that is slower or shares its cores; 1 at least. */
function slowness(): number {
  const script = `TIMEFORMAT='%U %S'; time for i in {1..${STARTS}}; do "$0" -e 0; done`;
  const { stderr } = spawnSync('bash', ['-c', script, process.execPath], { encoding: 'utf8' });
  const [user, system] = stderr.trim().split(' ').map(Number);
  return Math.max(1, (user! + system!) / STARTS / BARE_NODE_SECONDS);
}

/** utime and stime of /proc/PID/stat, which are in hundredths. */
function cpuSeconds(pid: number): number {
  const [user, system] = [14, 15].map((field) => Number(statField(`/proc/${pid}/stat`, field)));
  return (user! + system!) / 100;
}

describe('the terminal', { timeout: 240_000 }, () => {
  const ways: readonly (readonly [how: string, leave: (terminal: Terminal, pid: number) => void])[] = [
    ['q', (terminal) => terminal.press('q')],
    ['Ctrl-C', (terminal) => terminal.press('\u0003')],
    ['SIGTERM', (_terminal, pid) => process.kill(pid, 'SIGTERM')],
    ['SIGINT', (_terminal, pid) => process.kill(pid, 'SIGINT')],
    ['SIGHUP', (_terminal, pid) => process.kill(pid, 'SIGHUP')],
  ];
  for (const [how, leave] of ways) test(`is as it was after ${how}`, async () => void (await leaves(leave)));

  const stops: readonly (readonly [how: string, stop: (terminal: Terminal, pid: number) => void])[] = [
    ['Ctrl-Z', (terminal) => terminal.press('\u001a')],
    ['SIGTSTP', (_terminal, pid) => process.kill(pid, 'SIGTSTP')],
    ['SIGSTOP', (_terminal, pid) => process.kill(pid, 'SIGSTOP')],
  ];
  const wrapped = `sh -c '"$@"; true' sh "$@"`;
  for (const [how, stop, start] of [
    ...stops.map((one) => [...one, '"$@"'] as const),
    ['Ctrl-Z in a script', stops[0]![1], wrapped] as const,
  ]) {
    test(`is the shell's after ${how}, and the monitor's again after fg`, async () => {
      const script = `set -m; ${start}; stty -a; stty sane; echo stopped; read -r; fg; echo after`;
      const terminal = new Terminal(['bash', '-c', script, 'bash', process.execPath, PLAY, '3', '4'], { rows: 40 });
      try {
        await terminal.until(/q quit/);
        stop(terminal, childOf(terminal.pid));
        const text = await terminal.until(/^stopped$/m);
        // No program is told of SIGSTOP.
        if (how !== 'SIGSTOP') {
          assert.ok(!terminal.alternate, 'the alternate screen is gone');
          for (const mode of ['icanon', 'echo']) assert.match(text, new RegExp(`\\s${mode}\\s`));
        }
        terminal.press('\r');
        await terminal.until((now) => terminal.alternate && /q quit/.test(now) && !/^stopped$/m.test(now));
        terminal.press('?');
        await terminal.until(/Keys/i);
        terminal.press('qq');
        await terminal.until(/after/);
        assert.ok(!terminal.alternate);
      } finally {
        await terminal.close();
      }
    });
  }

  test('is as it was after a failure, which is told then', async () => {
    assert.match(await leaves(() => {}, 'fail'), /the source has run dry/);
  });

  test('is as it was after a crash, which is told then', async () => {
    assert.match(await leaves(() => {}, 'throw'), /nobody caught this/);
  });
});

function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim());
}

/** Runs the monitor in a shell that goes on, so that the terminal can be asked how it was left. Its last screen. */
async function leaves(leave: (terminal: Terminal, pid: number) => void, misfortune = ''): Promise<string> {
  const script = 'echo before; "$@"; stty -a; echo after';
  const terminal = new Terminal(['bash', '-c', script, 'bash', process.execPath, PLAY, '3', '4', misfortune], {
    rows: 40,
  });
  try {
    await terminal.until(/q quit/);
    assert.ok(terminal.alternate);
    leave(terminal, childOf(terminal.pid));
    const text = await terminal.until(/after/, 15_000);
    assert.ok(!terminal.alternate, 'the alternate screen is gone');
    assert.match(text, /^before/);
    for (const mode of ['icanon', 'echo', 'isig', 'opost']) assert.match(text, new RegExp(`\\s${mode}\\s`));
    const { bytes } = terminal;
    assert.ok(bytes.lastIndexOf('\u001b[?25h') > bytes.lastIndexOf('\u001b[?25l'), 'the cursor is shown');
    assert.doesNotMatch(text, /q quit/);
    return text;
  } finally {
    await terminal.close();
  }
}

describe('an action under way', { timeout: 60_000 }, () => {
  test('says what it waits for, and goes on when the monitor is left', async () => {
    const script = '"$@"; echo "ended with $?"';
    const terminal = new Terminal(['bash', '-c', script, 'bash', process.execPath, PLAY, '3', '4', 'slow'], {
      columns: 100,
    });
    try {
      await terminal.until(/q quit/);
      terminal.press('dy');
      await terminal.until(/deleting ublkb0: waiting for its server \(pid 12\) to leave/);
      terminal.press('q');
      const left = await terminal.until(/Ctrl-C gives up waiting/);
      assert.ok(!terminal.alternate, 'the terminal is back at once');
      assert.match(left, /deleting ublkb0: waiting for its server/);
      assert.match(await terminal.until(/ended with 0/), /deleted ublkb0\n/);
    } finally {
      await terminal.close();
    }
  });

  test('is given up by Ctrl-C once the monitor was left', async () => {
    const terminal = new Terminal([process.execPath, PLAY, '3', '4', 'slow'], { columns: 100 });
    try {
      await terminal.until(/q quit/);
      terminal.press('dyq');
      await terminal.until(/Ctrl-C gives up waiting/);
      terminal.press('\u0003');
      assert.match(await terminal.until(/of a core/), /^(?![^]*deleted ublkb0)/);
    } finally {
      await terminal.close();
    }
  });
});

describe('without a terminal', { timeout: 60_000 }, () => {
  test('a line of JSON an interval', noDriver, () => {
    const { stdout, status } = run('$N $P monitor --count 3 --interval 0.1');
    assert.equal(status, 0);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { version: number; devices: unknown[] });
    assert.equal(lines.length, 3);
    for (const line of lines) assert.deepEqual([line.version, line.devices], [1, []]);
  });

  test('a reader that has enough ends it', noDriver, () => {
    const { stdout, stderr } = run('$N $P top --interval 0.1 | head -1');
    assert.equal(stdout.trimEnd().split('\n').length, 1);
    assert.equal(stderr, '');
  });

  test('wrong words are refused', () => {
    assert.equal(run('$N $P monitor --interval 0').status, 2);
    assert.equal(run('$N $P monitor --count 0').status, 2);
    assert.equal(run('$N $P metrics --listen here').status, 2);
  });
});

function run(line: string) {
  const env = { ...process.env, P: PROGRAM, N: process.execPath };
  return spawnSync('bash', ['-o', 'pipefail', '-c', line], { encoding: 'utf8', env });
}
