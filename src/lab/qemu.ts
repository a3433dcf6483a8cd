import { labError } from './errors.ts';
import { runTool } from './tool.ts';

export const QEMU = 'qemu-system-x86_64';
export const QEMU_PACKAGE = 'qemu-system-x86';

export type Acceleration = 'kvm' | 'tcg';

/** A byte channel between host and guest, over a file descriptor that QEMU inherits. */
export interface Channel {
  readonly name: string;
  readonly kind: 'kernel-console' | 'port' | 'terminal';
}

export interface Machine {
  readonly acceleration: Acceleration;
  readonly qemuMajor: number;
  readonly memory: string;
  readonly cpus: number;
  /**
   * Makes the guest's clock count instructions, one per nanosecond: slow, but the same every time. `true` means one CPU.
   * A number means that many, which take turns, so that the clock is the sum of their instructions.
   */
  readonly instructions: boolean | number;
  readonly kernel: string;
  readonly root: string;
  /** Raw disks that the guest only reads: /dev/vda and so on, once it has loaded virtio_blk. */
  readonly disks: readonly string[];
  /** The first channel is file descriptor 3, the next 4 ... */
  readonly channels: readonly Channel[];
  /** The command that process 1 runs, as one line of bash without double quotes. */
  readonly bootScript: string;
}

/**
 * QEMU's arguments. The root disk is NVMe because Debian's cloud kernel has that driver built in, like ext4 and the
 * virtio console: the guest needs no initrd. It is the only NVMe disk because the kernel finds several in any order,
 * and names them in that order. What is written to it goes to an unlinked temporary file.
 */
export function qemuArguments(machine: Machine): string[] {
  const { kernel, root, disks, channels, memory, bootScript } = machine;
  const options: readonly Option[] = [
    ['-nodefaults'],
    ['-no-user-config'],
    ['-no-reboot'],
    ['-display', 'none'],
    ['-machine', 'q35'],
    ...processorOptions(machine),
    ['-m', memory],
    ['-kernel', kernel],
    ['-append', kernelCommandLine(bootScript)],
    diskOption(root, 'root', 'snapshot=on'),
    ['-device', 'nvme,drive=root,serial=root'],
    ...disks.flatMap((disk, index): Option[] => [
      diskOption(disk, `disk${index}`, 'readonly=on'),
      ['-device', `virtio-blk,drive=disk${index}`],
    ]),
    ['-device', 'virtio-serial'],
    ...channels.flatMap((channel, index): Option[] => [
      ['-chardev', `socket,id=${channel.name},fd=${index + 3}`],
      channelOption(channel),
    ]),
  ];
  return options.flat();
}

/** An option of QEMU's, with its value if it has one. */
type Option = readonly [name: string] | readonly [name: string, value: string];

/** The first number of QEMU's version. */
export async function qemuMajorVersion(): Promise<number> {
  const text = await runTool(QEMU, ['--version'], { debianPackage: QEMU_PACKAGE });
  const major = /version (\d+)\./.exec(text)?.[1];
  if (major === undefined) throw labError(`${QEMU} --version printed no version: ${text}`);
  return Number(major);
}

/**
 * QEMU carries out `rep movsb` and `rep stosb` byte by byte. Without these two features, which make them fast on a real
 * processor, the guest's kernel and its C library copy and clear memory by words, two to three times as fast.
 */
const COPIES_BY_WORDS = 'max,-erms,-fsrm';

function processorOptions({ acceleration, instructions, qemuMajor, cpus }: Machine): Option[] {
  if (instructions !== false) {
    return [
      ['-accel', 'tcg,thread=single'],
      ['-icount', 'shift=0,sleep=off'],
      ['-cpu', 'max'],
      ['-smp', String(Number(instructions))],
    ];
  }
  const smp: Option = ['-smp', String(cpus)];
  if (acceleration === 'kvm') return [['-accel', 'kvm'], ['-cpu', 'host'], smp];
  // QEMU 7.2 with one thread per CPU loses a race in the guest's patching of its own code, and the guest dies.
  const threads = qemuMajor >= 8 ? 'multi' : 'single';
  return [['-accel', `tcg,thread=${threads}`], ['-cpu', COPIES_BY_WORDS], smp];
}

function kernelCommandLine(bootScript: string): string {
  // no_timer_check: on a busy host the emulated timer may not tick within the moment that the kernel gives it, which
  // then panics.
  const kernel = 'console=ttyS0 quiet panic=-1 mitigations=off nokaslr no_timer_check';
  const root = 'root=/dev/nvme0n1 rootfstype=ext4 rootwait rw';
  return `${kernel} ${root} init=/bin/bash -- -c "${bootScript}"`;
}

function diskOption(file: string, id: string, mode: string): Option {
  // A comma in an option's value is written twice.
  return ['-drive', `if=none,id=${id},format=raw,${mode},file=${file.replaceAll(',', ',,')}`];
}

function channelOption({ name, kind }: Channel): Option {
  if (kind === 'kernel-console') return ['-serial', `chardev:${name}`];
  if (kind === 'terminal') return ['-device', `virtconsole,chardev=${name}`];
  return ['-device', `virtserialport,chardev=${name},name=${name}`];
}
