/** `target check --lab` as far as no guest is needed: the words of its script, and what becomes of what the script prints. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { deviceScript } from '../../src/targets/check/device-script.ts';
import { LabFindings } from '../../src/targets/check/lab-findings.ts';
import { modulesBelow } from '../../src/targets/check/modules-below.ts';

test('the script is one that bash reads, whatever the files are called', () => {
  const script = deviceScript({
    target: "/check/it's here/ram.ts",
    files: ['/check/$(false) "a"'],
    targetOptions: { text: '`b` $c' },
    readOnly: true,
    isRing: false,
    folders: ['/check/d e'],
    empty: { '/check/hole': 4096 },
  });
  assert.equal(spawnSync('bash', ['-n'], { input: script }).status, 0);
  const definitions = script
    .slice(0, script.indexOf('DEVICE='))
    .replace(/^mkdir.*\n/m, '')
    .replace(/^truncate.*\n/m, '');
  const input = `${definitions}\nublkts() { printf '%s|' "$@"; }\ntimeout() { shift; "$@"; }\ncheck_handlers; echo; add_device`;
  const { stdout } = spawnSync('bash', [], { input, encoding: 'utf8' });
  const [check, add] = stdout.split('\n');
  assert.equal(check, `target|check|/check/it's here/ram.ts|/check/$(false) "a"|-o|text=\`b\` $c|--read_only|`);
  assert.match(
    add ?? '',
    /^add\|-n\|0\|-t\|\/check\/it's here\/ram\.ts\|.*\|-o\|text=`b` \$c\|\/check\/\$\(false\) "a"\|$/,
  );
});

test('the guest gets the modules of the folder and of linked packages, and not what is there for an editor', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ublkts-modules-'));
  for (const name of ['home/lib', 'home/node_modules/@types/node', 'checkout/dist', 'other'])
    mkdirSync(join(folder, name), { recursive: true });
  const files = ['home/disk.ts', 'home/disk.img', 'home/lib/a.mjs', 'home/node_modules/@types/node/index.d.ts'];
  for (const name of [...files, 'checkout/dist/index.js', 'other/index.js']) writeFileSync(join(folder, name), '');
  symlinkSync('../../checkout', join(folder, 'home/node_modules/ublkts'));
  symlinkSync('../../other', join(folder, 'home/node_modules/other'));
  symlinkSync('..', join(folder, 'home/lib/up'));
  symlinkSync('gone', join(folder, 'home/lib/nowhere'));
  try {
    const names: string[] = [];
    for await (const path of modulesBelow(join(folder, 'home'))) names.push(relative(join(folder, 'home'), path));
    assert.deepEqual(names.sort(), ['disk.ts', 'lib/a.mjs', 'node_modules/other/index.js']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('what the script prints', () => {
  test('becomes findings, however it is cut into pieces, and each step is progress', () => {
    const progress: string[] = [];
    const findings = new LabFindings((message) => progress.push(message));
    for (const piece of [
      'step\tdev',
      'ice\ndone\tdevice\tok\t4096 bytes\nstep\tdata\ndone\tdata\tfa',
      'il\tread: no\n',
    ])
      findings.stdout(Buffer.from(piece));
    assert.deepEqual(progress, ['checking in the lab: device', 'checking in the lab: data']);
    assert.deepEqual(findings.findings(1), [
      { name: 'device', status: 'ok', detail: '4096 bytes', hint: null },
      { name: 'data', status: 'fail', detail: 'read: no', hint: null },
    ]);
  });

  test('and an end that nobody has explained is a failure of the step that was running', () => {
    const findings = new LabFindings(() => {});
    findings.stdout(Buffer.from('step\tdata\n'));
    findings.stderr(Buffer.from('bash: out of memory\n'));
    assert.deepEqual(findings.findings(137), [
      {
        name: 'data',
        status: 'fail',
        detail: 'the check ended in the lab with exit code 137: bash: out of memory',
        hint: null,
      },
    ]);
  });
});
