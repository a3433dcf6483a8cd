/**
 * The hand as a program of one page: `io_uring_enter(3, entries, entries, IORING_ENTER_GETEVENTS)`, then exit. It takes
 * 20 kB of memory and under a millisecond to start, where Node takes 40 MB and 30 ms (ELF-64 layout from elf(5), x86-64
 * only; elsewhere `main.ts` does the same).
 */
import { HAND_RING_FD } from './ring-fd.ts';

const BASE = 0x400000;
const EHDR_BYTES = 64;
const PHDR_BYTES = 56;
const CODE_AT = EHDR_BYTES + 2 * PHDR_BYTES;
const EM_X86_64 = 62;
const ET_EXEC = 2;
const PT_LOAD = 1;
const PT_GNU_STACK = 0x6474e551;
const PF_X = 1;
const PF_W = 2;
const PF_R = 4;

/** The name that `ps` shows; at most 15 bytes. */
const NAME = 'ublkts-hand';

export function hasHandProgram(arch: string): boolean {
  return arch === 'x64';
}

/** The file's bytes; it submits `entries` entries and waits for as many completions. */
export function handProgram(entries: number): Uint8Array {
  const codeBytes = code(entries, 0n).length;
  const text = code(entries, BigInt(BASE + CODE_AT + codeBytes));
  const content = Buffer.concat([text, Buffer.from(`${NAME}\0`, 'latin1')]);
  const file = Buffer.alloc(CODE_AT + content.length);
  // e_ident: magic, ELFCLASS64, ELFDATA2LSB, EV_CURRENT.
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0);
  file.writeUInt16LE(ET_EXEC, 16);
  file.writeUInt16LE(EM_X86_64, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(BASE + CODE_AT), 24);
  file.writeBigUInt64LE(BigInt(EHDR_BYTES), 32);
  file.writeUInt16LE(EHDR_BYTES, 52);
  file.writeUInt16LE(PHDR_BYTES, 54);
  file.writeUInt16LE(2, 56);
  segment(file, 0, PT_LOAD, PF_R | PF_X, file.length);
  // Without this segment some kernels make the stack executable.
  segment(file, 1, PT_GNU_STACK, PF_R | PF_W, 0);
  content.copy(file, CODE_AT);
  return file;
}

function segment(file: Buffer, index: number, type: number, flags: number, length: number): void {
  const at = EHDR_BYTES + index * PHDR_BYTES;
  const address = length === 0 ? 0n : BigInt(BASE);
  file.writeUInt32LE(type, at);
  file.writeUInt32LE(flags, at + 4);
  file.writeBigUInt64LE(0n, at + 8);
  file.writeBigUInt64LE(address, at + 16);
  file.writeBigUInt64LE(address, at + 24);
  file.writeBigUInt64LE(BigInt(length), at + 32);
  file.writeBigUInt64LE(BigInt(length), at + 40);
  file.writeBigUInt64LE(4096n, at + 48);
}

function code(entries: number, name: bigint): Buffer {
  // biome-ignore format: one instruction per line
  const bytes = [
    'b8', long(157), //          mov  eax, prctl
    'bf', long(15), //           mov  edi, PR_SET_NAME
    '48 be', quad(name), //      mov  rsi, name
    '0f 05', //                  syscall
    'b8', long(426), //    again: mov eax, io_uring_enter
    'bf', long(HAND_RING_FD), // mov  edi, the ring
    'be', long(entries), //      mov  esi, entries
    'ba', long(entries), //      mov  edx, entries
    '41 ba', long(1), //         mov  r10d, IORING_ENTER_GETEVENTS
    '45 31 c0', //               xor  r8d, r8d
    '45 31 c9', //               xor  r9d, r9d
    '0f 05', //                  syscall
    '83 f8 fc', //               cmp  eax, -EINTR
    '74 d9', //                  je   again: nothing was submitted
    '31 ff', //                  xor  edi, edi
    'b8', long(231), //          mov  eax, exit_group
    '0f 05', //                  syscall
  ];
  return Buffer.from(bytes.join('').replaceAll(' ', ''), 'hex');
}

function long(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes.toString('hex');
}

function quad(value: bigint): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes.toString('hex');
}
