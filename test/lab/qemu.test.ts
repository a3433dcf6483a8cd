import assert from 'node:assert/strict';
import test from 'node:test';
import { type Machine, qemuArguments } from '../../src/lab/qemu.ts';

const machine: Machine = {
  acceleration: 'tcg',
  qemuMajor: 10,
  memory: '2G',
  cpus: 2,
  instructions: false,
  kernel: '/cache/kernel',
  root: '/cache/root.img',
  disks: ['/tmp/job.tar'],
  channels: [
    { name: 'console', kind: 'kernel-console' },
    { name: 'control', kind: 'port' },
    { name: 'terminal', kind: 'terminal' },
  ],
  bootScript: 'exec /lab/init',
};

test('old QEMU emulates all CPUs in one thread, newer QEMU in one each', () => {
  assert.equal(valueOf('-accel', { ...machine, qemuMajor: 7 }), 'tcg,thread=single');
  assert.equal(valueOf('-accel', machine), 'tcg,thread=multi');
});

test('counting instructions needs emulation by one thread and one CPU, whatever else was asked', () => {
  const counted: Machine = { ...machine, instructions: true, acceleration: 'kvm', cpus: 4 };
  assert.equal(valueOf('-accel', counted), 'tcg,thread=single');
  assert.equal(valueOf('-smp', counted), '1');
  assert.equal(valueOf('-icount', counted), 'shift=0,sleep=off');
});

test('CPUs that take turns have one clock, the sum of their instructions', () => {
  const counted: Machine = { ...machine, instructions: 8 };
  assert.equal(valueOf('-accel', counted), 'tcg,thread=single');
  assert.equal(valueOf('-smp', counted), '8');
});

test('KVM shows the guest the real CPU', () => {
  assert.equal(valueOf('-cpu', { ...machine, acceleration: 'kvm' }), 'host');
});

test('nothing that the guest writes reaches the image', () => {
  const drives = valuesOf('-drive', machine);
  assert.deepEqual(drives, [
    'if=none,id=root,format=raw,snapshot=on,file=/cache/root.img',
    'if=none,id=disk0,format=raw,readonly=on,file=/tmp/job.tar',
  ]);
});

test('a comma in a file name does not end the option', () => {
  const drives = valuesOf('-drive', { ...machine, root: '/a,readonly=off' });
  assert.match(drives[0] ?? '', /file=\/a,,readonly=off$/);
});

test('each channel has a file descriptor, from 3 on', () => {
  assert.deepEqual(valuesOf('-chardev', machine), [
    'socket,id=console,fd=3',
    'socket,id=control,fd=4',
    'socket,id=terminal,fd=5',
  ]);
});

function valuesOf(option: string, of: Machine): string[] {
  return qemuArguments(of).filter((_argument, index, all) => all[index - 1] === option);
}

function valueOf(option: string, of: Machine): string | undefined {
  return valuesOf(option, of)[0];
}
