/** The programs of hands (start.ts) as x86-64 machine code. */
import { long, machineCode, quad } from '../machine-code.ts';
import { HAND_RING_FD } from './ring-fd.ts';
import { ANSWERED, type HandTask } from './task.ts';

const O_WRONLY = 1;

/** The name that `ps` shows; at most 15 bytes. */
const NAME = 'ublkts-hand';

/** Where the program has the bytes of a text, with a zero at their end. */
export type AddressOf = (text: string) => bigint;

/** The instructions of a program that carries out `task` and ends. */
export function handCode(task: HandTask, addressOf: AddressOf): Buffer {
  return machineCode([...nameOf(addressOf(NAME)), ...instructions(task, addressOf)]);
}

function instructions(task: HandTask, addressOf: AddressOf): string[] {
  switch (task.call) {
    case 'ring':
      return enterRing(task.entries);
    case 'stat':
      return stat(addressOf(task.path));
    case 'fallocate':
      return fallocate(addressOf(task.path), BigInt(task.bytes));
    default:
      return task satisfies never;
  }
}

function nameOf(name: bigint): string[] {
  // biome-ignore format: one instruction per line
  return [
    'b8', long(157), //          mov  eax, prctl
    'bf', long(15), //           mov  edi, PR_SET_NAME
    '48 be', quad(name), //      mov  rsi, name
    '0f 05', //                  syscall
  ];
}

function enterRing(entries: number): string[] {
  // biome-ignore format: one instruction per line
  return [
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
    ...EXIT,
  ];
}

function stat(path: bigint): string[] {
  // biome-ignore format: one instruction per line
  return [
    'b8', long(4), //            mov  eax, stat
    '48 bf', quad(path), //      mov  rdi, path
    '48 8d b4 24', long(-512), // lea rsi, [rsp - 512]: a struct stat has 144 bytes
    '0f 05', //                  syscall
    ...EXIT_WITH_ERRNO,
  ];
}

function fallocate(path: bigint, bytes: bigint): string[] {
  // biome-ignore format: one instruction per line
  return [
    'b8', long(2), //            mov  eax, open
    '48 bf', quad(path), //      mov  rdi, path
    'be', long(O_WRONLY), //     mov  esi, O_WRONLY
    '0f 05', //                  syscall
    '85 c0', //                  test eax, eax
    '78 1b', //                  js   over the call
    '89 c7', //                  mov  edi, eax
    '31 f6', //                  xor  esi, esi: no flags
    '48 ba', quad(bytes - 1n), // mov rdx, bytes - 1
    '41 ba', long(1), //         mov  r10d, 1
    'b8', long(285), //          mov  eax, fallocate
    '0f 05', //                  syscall
    ...EXIT_WITH_ERRNO,
  ];
}

// biome-ignore format: one instruction per line
const EXIT = [
  'b8', long(231), //            mov  eax, exit_group
  '0f 05', //                    syscall
];

// biome-ignore format: one instruction per line
const EXIT_WITH_ERRNO = [
  'f7 d8', //                    neg  eax
  '05', long(ANSWERED), //       add  eax, ANSWERED
  '89 c7', //                    mov  edi, eax
  ...EXIT,
];
