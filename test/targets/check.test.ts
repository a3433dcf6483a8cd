/** `target check` finds what a target does wrong, and what `target new` writes does nothing wrong. Needs a build. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type CheckOptions, checkTarget, type Finding } from '../../src/targets/check/check.ts';
import { writeNewTarget } from '../../src/targets/check/new-target.ts';
import { ran, ROOT, ublkts } from '../cli/run.ts';

const folder = mkdtempSync(join(tmpdir(), 'ublkts-check-'));
after(() => rmSync(folder, { recursive: true }));

const OPTIONS: CheckOptions = { files: [], targetOptions: {}, readOnly: false };

test('the example does nothing wrong', async () => {
  const findings = await checkTarget(join(ROOT, 'examples/ram.ts'), { ...OPTIONS, targetOptions: { size: '16M' } });
  assert.deepEqual(failures(findings), []);
  assert.deepEqual(
    findings.map(({ name }) => name),
    ['device', 'boundaries', 'random', 'at once', 'discards', 'speed', 'close'],
  );
});

test('what is written to begin with does nothing wrong, and its test says so', () => {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  symlinkSync(join(ROOT, 'bin/run.js'), join(bin, 'ublkts'));
  const before = process.cwd();
  process.chdir(folder);
  try {
    const tests = [writeNewTarget('disk', false), writeNewTarget('on-a-file', true)].map(({ test }) => test);
    assert.deepEqual(tests, ['disk.test.ts', 'on-a-file.test.ts']);
    assert.throws(() => writeNewTarget('disk', false), /cannot write disk\.ts: it is there already/);
    writeFileSync('half.test.ts', '');
    assert.throws(() => writeNewTarget('half', false), /cannot write half\.test\.ts/);
    assert.ok(!existsSync('half.ts'));
    rmSync('half.test.ts');
    for (const name of ['', '../disk', 'a/disk', "a'b", '.disk', 'a b'])
      assert.throws(() => writeNewTarget(name, false), { kind: 'usage', message: /cannot be the name/ }, name);
    const PATH = `${bin}:${dirname(process.execPath)}:${process.env['PATH']}`;
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const run = spawnSync(process.execPath, ['--test', ...tests], { encoding: 'utf8', env: { ...env, PATH } });
    assert.equal(run.status, 0, run.stdout + run.stderr);
    assert.match(run.stdout, /pass 2/);
    writeFileSync('package.json', '{ "type": "commonjs" }');
    assert.deepEqual(writeNewTarget('module', false), { file: 'module.mts', test: 'module.test.mts' });
    rmSync('package.json');
  } finally {
    process.chdir(before);
  }
});

test('what its file leaves running does not keep the command', { timeout: 30_000 }, () => {
  const file = join(folder, 'runs.ts');
  writeFileSync(
    file,
    `import { defineTarget } from 'ublkts/target';
     setInterval(() => {}, 1000);
     export default defineTarget({ summary: 'runs', open: () => ({ size: 4096, read(b) { b.fill(0); } }) });`,
  );
  const { code, stdout } = ublkts(`target check ${file}`);
  assert.equal(code, 0);
  assert.match(stdout, /^ok +close /m);
});

describe('a target is told of', () => {
  for (const [what, read, write, said] of [
    ['a buffer that it keeps', 'blocks.get(o)?.copy(b) ?? b.fill(0)', 'blocks.set(o, b)', /`write` keeps its buffer/],
    [
      'a read that fills less',
      'd.copy(b, 0, o, o + b.length - 512)',
      'd.set(b, o)',
      /did not fill its buffer from byte \d+ on/,
    ],
    [
      'data that is elsewhere',
      'd.copy(b, 0, o, o + b.length)',
      'd.set(b, Math.max(0, o - 512))',
      /something else at byte/,
    ],
    [
      'a result that it returns',
      'return d.copy(b, 0, o, o + b.length)',
      'd.set(b, o)',
      /it returned a number: a handler returns nothing, or a promise of nothing; if it counts bytes/,
    ],
    [
      'a write that changes its buffer',
      'd.copy(b, 0, o, o + b.length)',
      'd.set(b, o); b.fill(0)',
      /changed its buffer/,
    ],
    ['an error', 'throw new Error("no " + o)', 'd.set(b, o)', /failed: no 0/],
    ['an error with megabytes of text', 'throw new Error("no".repeat(1e7))', 'd.set(b, o)', /^[^]{1,4000}$/],
    [
      'a write that changes its options',
      'd.copy(b, 0, o, o + b.length)',
      'd.set(b, o); options.fua = true',
      /failed: Cannot assign to read only property 'fua'/,
    ],
    [
      'a buffer that is used later',
      'd.copy(b, 0, o, o + b.length); queueMicrotask(() => setImmediate(() => b.fill(0)))',
      'd.set(b, o)',
      /was written to after the request was done/,
    ],
  ] as const) {
    test(what, async () => {
      const file = join(folder, `${what.replaceAll(' ', '-')}.ts`);
      writeFileSync(
        file,
        `import { defineTarget } from 'ublkts/target';
         const d = Buffer.alloc(1 << 20);
         const blocks = new Map<number, Buffer>();
         export default defineTarget({ summary: 'wrong', open: () => ({ size: d.length, maxBytes: 4096,
           read(b, o): any { ${read}; }, write(b, o, options: any) { ${write}; } }) });`,
      );
      assert.match(failures(await checkTarget(file, OPTIONS)).join(' | '), said);
    });
  }
});

describe('names that are nearly those of the interface', () => {
  test('are pointed out, of a class too, and helpers with other names are not', async () => {
    const file = join(folder, 'nearly.ts');
    const own = 'size = 4096; blcokSize = 4096; closed = false; read(b: Buffer) { b.fill(0); } reader() {} load() {}';
    writeFileSync(file, returning(`new (class { ${own} onWrite() {} discrad() {} })()`));
    const said = (await checkTarget(file, OPTIONS)).filter(({ status }) => status === 'warn');
    assert.deepEqual(
      said.map(({ detail, hint }) => `${detail.split(' ')[0]}: ${hint}`),
      [
        '`onWrite`: did you mean `write`?',
        '`discrad`: did you mean `discard`?',
        '`blcokSize`: did you mean `blockSize`?',
      ],
    );
  });

  test('are the reason where one is missing', async () => {
    const file = join(folder, 'raed.ts');
    writeFileSync(file, returning('{ size: 4096, raed() {} }'));
    await assert.rejects(checkTarget(file, OPTIONS), {
      message: /`read` is not a function/,
      hint: 'it has `raed`: did you mean `read`?',
    });
  });
});

describe('a target that throws is told what it has thrown, whatever that is', () => {
  const UNREADABLE = 'it threw something that throws when it is looked at';
  for (const [index, [thrown, said]] of (
    [
      ['null', 'it threw null'],
      ['Object.create(null)', 'it threw [Object: null prototype] {}'],
      ["{ code: 'ENOENT' }", "it threw { code: 'ENOENT' }"],
      ['{ get message() { throw 1; }, toString() { throw 2; } }', 'it threw { message: [Getter]'],
      ["Object.freeze(new Error('cold'))", 'cold'],
      ["Object.defineProperty(new Error(), 'message', { get() { throw 1; } })", UNREADABLE],
      ["Object.defineProperty(new SyntaxError(), 'code', { get() { throw 1; } })", UNREADABLE],
      ['new Proxy({}, { getPrototypeOf() { throw 1; } })', UNREADABLE],
    ] as const
  ).entries()) {
    test(thrown, async () => {
      const atTop = written(`at-top-${index}`, `throw ${thrown};`);
      await assert.rejects(checkTarget(atTop, OPTIONS), ({ message }: Error) => message.includes(`${atTop}: ${said}`));
      const inOpen = written(
        `in-open-${index}`,
        `export default defineTarget({ summary: 'x', open() { throw ${thrown}; } });`,
      );
      await assert.rejects(checkTarget(inOpen, OPTIONS), ({ message }: Error) => message.includes(`open: ${said}`));
      const handlers = `{ size: 4096, read() { throw ${thrown}; } }`;
      const inRead = written(
        `in-read-${index}`,
        `export default defineTarget({ summary: 'x', open: () => (${handlers}) });`,
      );
      const failed = failures(await checkTarget(inRead, OPTIONS)).join();
      assert.ok(failed.startsWith(`a read of 512 bytes at 0 failed: ${said}`), failed);
    });
  }

  test('and when it throws first', async () => {
    const file = join(folder, 'worn-out.ts');
    const read = "read(b: Buffer) { if (++reads > 20_000) throw new Error('worn out'); b.fill(0); }";
    writeFileSync(file, `let reads = 0; ${returning(`{ size: 1 << 20, ${read} }`)}`);
    assert.deepEqual(failures(await checkTarget(file, OPTIONS)), ['a read of 4096 bytes failed: worn out']);
  });

  test('and where its getters throw', async () => {
    const file = join(folder, 'getter.ts');
    writeFileSync(
      file,
      `import { defineTarget } from 'ublkts/target';
       export default defineTarget({ summary: 'x', open: () => ({ get size(): number { throw new Error('no size'); }, read() {} }) });`,
    );
    await assert.rejects(checkTarget(file, OPTIONS), /getter\.ts cannot open: no size \(getter\.ts:2/);
  });

  test('and what is no number', async () => {
    for (const size of ["'1G'", '1n << 30n']) {
      const file = join(folder, `size-${size.length}.ts`);
      writeFileSync(
        file,
        `import { defineTarget } from 'ublkts/target';
         export default defineTarget({ summary: 'x', open: (): any => ({ size: ${size}, read() {} }) });`,
      );
      await assert.rejects(checkTarget(file, OPTIONS), /`size` is (?:string|bigint), not number/);
    }
  });
});

describe('a target whose code', () => {
  const disk = 'const d = Buffer.alloc(1 << 20);';
  const target = (read: string, more = '') =>
    `import { defineTarget } from 'ublkts/target';
     export default defineTarget({ summary: 'ends', open() { ${disk} return { size: d.length,
       read(b, o) { ${read} d.copy(b, 0, o, o + b.length); }, write(b, o) { d.set(b, o); } ${more} }; } });`;
  const stray = /: this would end the server/;
  for (const [what, source, said] of [
    ['throws in a timer', target("setTimeout(() => { throw new Error('late'); });"), stray],
    ['leaves a rejection', target("void Promise.reject(new Error('late'));"), stray],
    [
      'leaves one in each read',
      target("setTimeout(() => void Promise.reject(new Error('late')), 20 + 5 * (d.n = (d.n ?? 0) + 1));"),
      stray,
    ],
    ['throws in close', target('', ", close() { throw new Error('full'); }"), /`close` has failed: .*may be lost/],
    ['throws in a timer of open', target('').replace(disk, `setTimeout(() => { throw 5; }); ${disk}`), stray],
  ] as const) {
    test(`${what} is not good`, () => {
      const file = join(folder, `${what.replaceAll(' ', '-')}.ts`);
      writeFileSync(file, source);
      const { code, stdout, stderr } = ublkts(`target check ${file} --json`);
      assert.deepEqual([code, stderr], [1, '']);
      const { checks } = JSON.parse(stdout) as { checks: Finding[] };
      assert.match(failures(checks).join(' | '), said);
    });
  }

  test('never returns, or too late, is given up, and what was found before is told', { timeout: 60_000 }, async () => {
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const blocks = `openSync(${JSON.stringify(fifo)}, 'r');`;
    const late = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 11_000);';
    const NEVER = /^a read of 512 bytes at 0 has not returned within 10 s: an endless loop/;
    const cases = [
      [target('for (;;);'), NEVER],
      [`import { openSync } from 'node:fs'; ${target(blocks)}`, NEVER],
      [target(late), /^a read of 512 bytes at 0 has not returned within 10 s$/],
    ] as const;
    const runs = cases.map(async ([source, said], index) => {
      const file = join(folder, `never-returns-${index}.ts`);
      writeFileSync(file, source);
      const { code, stdout, stderr } = await ran(['target', 'check', file, '--json']);
      assert.deepEqual([code, stderr], [1, '']);
      const { checks } = JSON.parse(stdout) as { checks: Finding[] };
      assert.deepEqual(
        checks.slice(0, 2).map(({ name, status }) => [name, status]),
        [
          ['device', 'ok'],
          ['boundaries', 'fail'],
        ],
      );
      assert.match(failures(checks).join(), said);
    });
    await Promise.all(runs);
  });

  test('ends the process has not succeeded, whatever code it ends with, in no command', () => {
    const END = 'this would end the server, with all of the device';
    const sources = {
      top: { source: `process.exit(0); ${target('')}`, said: 'the top level of its file', found: [1, 'device'] },
      open: { source: target('').replace(disk, `process.exit(0); ${disk}`), said: '`open`', found: [1, 'device'] },
      read: { source: target('process.exit(0);'), said: 'a read of 512 bytes at 0', found: [2, 'boundaries'] },
      close: { source: target('', ', close() { process.exit(0); }'), said: '`close`', found: [6, 'close'] },
    };
    for (const [where, { source, said, found }] of Object.entries(sources)) {
      const file = join(folder, `exit-${where}.ts`);
      writeFileSync(file, source);
      const { code, stdout, stderr } = ublkts(`target check ${file} --json`);
      assert.deepEqual([code, stderr], [1, ''], where);
      const { checks } = JSON.parse(stdout) as { checks: Finding[] };
      assert.deepEqual([checks.length, checks.at(-1)?.name], found, where);
      assert.deepEqual(failures(checks), [`${said} has called process.exit: ${END}`]);
    }
    for (const words of ['add', 'add --help']) {
      const { code, stderr } = ublkts(`${words} -t ${join(folder, 'exit-top.ts')}`);
      assert.equal(code, 1, words);
      assert.match(stderr, /^ublkts add: the command has ended before it was done/);
    }
    const { stdout } = ublkts(`add -t ${join(folder, 'exit-top.ts')} --json`);
    assert.equal((JSON.parse(stdout) as { error: { code: string } }).error.code, 'CUT_SHORT');
  });

  test('is built in has no file that can be checked, also in the lab', () => {
    for (const words of ['null', 'loop --lab'] as const) {
      const { code, stderr } = ublkts(`target check ${words}`);
      assert.equal(code, 2);
      assert.match(stderr, /is a built-in target, and only a target of your own can be checked/);
    }
  });

  test('has no such option is not checked, whatever the option is called', () => {
    const file = join(folder, 'no-options.ts');
    writeFileSync(file, target(''));
    for (const name of ['colour', 'constructor', '__proto__']) {
      const { code, stderr } = ublkts(`target check ${file} -o ${name}=1`);
      assert.equal(code, 2, name);
      assert.match(stderr, new RegExp(`the target has no option -o ${name}\\n`));
    }
  });

  test('is given an option that is wrong is told so by -o, also where `add` has a flag of that name', () => {
    const file = join(folder, 'sized.ts');
    const sized = "options: { size: size({ default: '1M', summary: 'its size' }) }, open";
    writeFileSync(file, target('').replace('open', sized).replace('{ defineTarget }', '{ defineTarget, size }'));
    const { code, stderr } = ublkts(`target check ${file} -o size=1x`);
    assert.equal(code, 2);
    assert.match(stderr, /^ublkts target check: -o size "1x" is not a size\n/);
  });

  test('prints with console.log does not print among the results', () => {
    const file = join(folder, 'prints.ts');
    const print =
      "console.log('hello'); console.info('hello'); console.debug('hello'); console.dir({}); console.table([{ a: 1 }]);";
    writeFileSync(file, `${print}${target('').replace(disk, `${print}${disk}`)}`);
    const { code, stdout, stderr } = ublkts(`target check ${file} --json`);
    assert.equal(code, 0);
    assert.equal((JSON.parse(stdout) as { healthy: boolean }).healthy, true);
    assert.match(stderr, /^hello\nhello\nhello\n/);
  });

  test('posts messages of its own is checked all the same', () => {
    const file = join(folder, 'posts.ts');
    const post = "for (const one of [null, 'ready', { kind: 'ready' }]) parentPort?.postMessage(one);";
    writeFileSync(file, `import { parentPort } from 'node:worker_threads';\n${target(post)}`);
    const { code, stderr } = ublkts(`target check ${file} --json`);
    assert.deepEqual([code, stderr], [0, '']);
  });

  test('is given files that it does not take is not checked', async () => {
    const file = join(folder, 'no-files.ts');
    writeFileSync(file, target(''));
    await assert.rejects(checkTarget(file, { ...OPTIONS, files: ['/srv/a.img'] }), /takes no backing file, not 1/);
  });
});

/** Writes the file of a target that throws. */
function written(where: string, source: string): string {
  const file = join(folder, `throws-${where}.ts`);
  writeFileSync(file, `import { defineTarget } from 'ublkts/target'; ${source}`);
  return file;
}

/** `handlers`: the code of what its `open` returns. */
function returning(handlers: string): string {
  return `import { defineTarget } from 'ublkts/target';
    export default defineTarget({ summary: 'x', open: (): any => (${handlers}) });`;
}

function failures(findings: readonly Finding[]): string[] {
  return findings.filter(({ status }) => status === 'fail').map(({ detail }) => detail);
}

describe('a target that keeps its disk in a file is told of', () => {
  const SYNCS = 'flush() { fdatasyncSync(fd); }';
  const write = 'writeSync(fd, b, 0, b.length, o)';
  const zeroes = 'writeSync(fd, Buffer.alloc(n), 0, n, o)';
  for (const [what, handlers, said] of [
    [
      'a flush without a sync',
      `write(b, o, { fua }) { ${write}; if (fua) fdatasyncSync(fd); }, flush() {}`,
      /a flush is answered before the data in .* is durable/,
    ],
    [
      'a write with fua without a sync',
      `write(b, o) { ${write}; }, ${SYNCS}`,
      /a write with `fua` is answered before the data in/,
    ],
    [
      'a write without a sync, and without flush',
      `write(b, o) { ${write}; }`,
      /a write is answered before .*: without `flush`, a client takes it for durable/,
    ],
    [
      'zeroes with fua without a sync',
      `write(b, o, { fua }) { ${write}; if (fua) fdatasyncSync(fd); }, writeZeroes(o, n) { ${zeroes}; }, ${SYNCS}`,
      /a writeZeroes with `fua` is answered before the data in/,
    ],
    [
      'zeroes without a sync, and without flush',
      `write(b, o) { ${write}; fdatasyncSync(fd); }, writeZeroes(o, n) { ${zeroes}; }`,
      /a writeZeroes is answered before .*: without `flush`, a client takes it for durable/,
    ],
    [
      'an error that it hides',
      `write(b, o, { fua }) { try { ${write}; } catch {} if (fua) fdatasyncSync(fd); }, ${SYNCS}`,
      /a read of 512 bytes at 0 returned something else at byte 0/,
    ],
  ] as const) {
    test(what, async () => {
      assert.match(failures(await checkTarget(onFile(what, handlers), OPTIONS)).join(' | '), said);
    });
  }

  test('a rejection that nobody handles', () => {
    const file = onFile(
      'a rejection',
      `async write(b, o) { try { ${write}; } catch (e) { void Promise.reject(e); throw e; } fdatasyncSync(fd); }`,
    );
    const { code, stdout } = ublkts(`target check ${file}`);
    assert.equal(code, 1);
    assert.match(stdout, /^fail errors .*left a rejection that nobody handles: this would end the server/m);
  });

  test('nothing, when it syncs with functions that it has kept since it was loaded', async () => {
    const kept = `async write(b, o, { fua }) { await kept.write(fd, b, 0, b.length, o); if (fua) await kept.sync(fd); },
      flush: () => kept.sync(fd)`;
    const findings = await checkTarget(onFile('kept', kept), OPTIONS);
    assert.deepEqual(failures(findings), []);
    assert.ok(findings.some(({ name }) => name === 'durability'));
  });

  test('nothing, when it syncs and hands its errors on', async () => {
    const file = onFile('good', `write(b, o, { fua }) { ${write}; if (fua) fdatasyncSync(fd); }, ${SYNCS}`);
    const findings = await checkTarget(file, OPTIONS);
    assert.deepEqual(failures(findings), []);
    assert.deepEqual(
      findings.filter(({ name }) => name === 'durability' || name === 'errors').map(({ detail }) => detail),
      [
        'its files are synced before a flush, or a write with fua, is answered',
        'a read fails with EIO: the client gets EIO; a write fails with ENOSPC: the client gets ENOSPC; a sync fails with EIO: the client gets EIO',
      ],
    );
  });
});

describe('a target with setup is served by two threads', () => {
  test('and must show both the same disk', async () => {
    const file = join(folder, 'shared.ts');
    writeFileSync(file, shared('new SharedArrayBuffer(1 << 20)'));
    const findings = await checkTarget(file, OPTIONS);
    assert.deepEqual(failures(findings), []);
    assert.equal(findings.find(({ name }) => name === 'two threads')?.detail, 'what one writes, the other reads');
  });

  test('a variable of the module is not shared', async () => {
    const file = join(folder, 'not-shared.ts');
    writeFileSync(file, shared('undefined'));
    assert.match(failures(await checkTarget(file, OPTIONS)).join(' | '), /a read of .* returned something else/);
  });
});

/** `setup`: the code of what it returns. */
function shared(setup: string): string {
  return `import { defineTarget } from 'ublkts/target';
    const own = new SharedArrayBuffer(1 << 20);
    export default defineTarget({ summary: 'shared', setup: () => ${setup}, open({ shared, threads }) {
      if (threads !== 2) throw new Error('alone');
      const d = Buffer.from(shared ?? own);
      return { size: d.length, read(b, o) { d.copy(b, 0, o, o + b.length); }, write(b, o) { d.set(b, o); } };
    } });`;
}

function onFile(what: string, handlers: string): string {
  const name = what.replaceAll(/[ ,]+/g, '-');
  const image = join(folder, `${name}.img`);
  writeFileSync(image, Buffer.alloc(1 << 20));
  const file = join(folder, `on-file-${name}.ts`);
  writeFileSync(
    file,
    `import { fdatasync, fdatasyncSync, openSync, readSync, write, writeSync } from 'node:fs';
     import { promisify } from 'node:util';
     import { defineTarget } from 'ublkts/target';
     const kept = { sync: promisify(fdatasync), write: promisify(write) };
     export default defineTarget({ summary: 'on a file', open() {
       const fd = openSync(${JSON.stringify(image)}, 'r+');
       return { size: 1 << 20, read(b, o) { readSync(fd, b, 0, b.length, o); }, ${handlers} };
     } });`,
  );
  return file;
}
