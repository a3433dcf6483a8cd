// include/uapi/asm-generic/ioctl.h, Linux 7.3. The numbers are those of x86-64, arm64 and riscv; a few old
// architectures (alpha, mips, powerpc, sparc) encode the direction differently and are not supported.
const SIZE_SHIFT = 16;
const DIRECTION_SHIFT = 30;
const TYPE_SHIFT = 8;

const NONE = 0;
const WRITE = 1;
const READ = 2;

/** `_IO(type, nr)`: a command without an argument. Like all of these numbers it is an unsigned 32-bit one. */
export function io(type: number, nr: number): number {
  return encode(NONE, type, nr, 0);
}

/** `_IOR(type, nr, struct)`: the kernel writes the argument, user space reads it. */
export function ior(type: number, nr: number, size: number): number {
  return encode(READ, type, nr, size);
}

/** `_IOW(type, nr, struct)`: user space writes the argument, the kernel reads it. */
export function iow(type: number, nr: number, size: number): number {
  return encode(WRITE, type, nr, size);
}

/** `_IOWR(type, nr, struct)`: the kernel reads the argument and writes it. */
export function iowr(type: number, nr: number, size: number): number {
  return encode(READ | WRITE, type, nr, size);
}

function encode(direction: number, type: number, nr: number, size: number): number {
  return ((direction << DIRECTION_SHIFT) | (size << SIZE_SHIFT) | (type << TYPE_SHIFT) | nr) >>> 0;
}
