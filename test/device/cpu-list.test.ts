import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatCpuList, parseCpuList } from '../../src/device/cpu-list.ts';
import { requireCpus } from '../../src/device/require-cpus.ts';

describe('a list of CPUs', () => {
  const lists: [text: string, cpus: number[], formatted: string][] = [
    ['0', [0], '0'],
    ['0-3,8', [0, 1, 2, 3, 8], '0-3,8'],
    ['8,0-3,2', [0, 1, 2, 3, 8], '0-3,8'],
    ['5-5', [5], '5'],
    ['1,2', [1, 2], '1-2'],
    [' 0 - 1 , 3\n', [0, 1, 3], '0-1,3'],
    ['1023-1025,4095', [1023, 1024, 1025, 4095], '1023-1025,4095'],
  ];
  for (const [text, cpus, formatted] of lists) {
    test(JSON.stringify(text), () => {
      assert.deepEqual(parseCpuList(text), cpus);
      assert.equal(formatCpuList(cpus), formatted);
    });
  }

  const refusals: [text: string, message: RegExp][] = [
    ['', /is empty/],
    [' ', /is empty/],
    ['0,,2', /a comma with no CPU/],
    ['0,', /a comma with no CPU/],
    ['all', /"all" is not the number of a CPU/],
    ['1.5', /not the number of a CPU/],
    ['0x3', /not the number of a CPU/],
    ['-3', /not the number of a CPU/],
    ['3-', /not the number of a CPU/],
    ['0-2-4', /is not a range/],
    ['3-1', /3-1 goes backwards/],
    ['0-4000000000', /CPU 4000000000 is out of range/],
  ];
  for (const [text, message] of refusals) {
    test(`${JSON.stringify(text)} is refused`, () => {
      assert.throws(() => parseCpuList(text), { kind: 'usage', message });
    });
  }
});

test('a CPU that is not there is named, beside those that are', () => {
  requireCpus([0, 2], [0, 1, 2]);
  assert.throws(() => requireCpus([1, 99], [0, 1, 2]), {
    kind: 'usage',
    message: /no CPU 99/,
    hint: 'the CPUs are 0-2',
  });
});

test('this machine has a CPU', () => {
  requireCpus([]);
  assert.throws(() => requireCpus([1023]), /no CPU 1023/);
});
