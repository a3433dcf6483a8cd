/**
 * Machine code for `io_uring_enter(fd, words[0], words[1], flags, NULL, 0)` as a function without arguments. What
 * changes from call to call is read from memory; what does not is part of the code. The function returns what the
 * kernel returns, which can be -errno.
 */
import { long, machineCode, quad } from '../machine-code.ts';

const SYS_io_uring_enter = 426;

/** The code for x86-64. It changes no register that the System V ABI preserves. `words` is the address of two ints. */
export function enterCode(fd: number, flags: number, words: bigint): Uint8Array {
  // biome-ignore format: one instruction per line
  const code = [
    'f3 0f 1e fa', //                   endbr64
    '48 b8', quad(words), //            mov   rax, words
    '8b 30', //                         mov   esi, [rax]
    '8b 50 04', //                      mov   edx, [rax+4]
    'bf', long(fd), //                  mov   edi, fd
    '41 ba', long(flags), //            mov   r10d, flags
    '45 31 c0', //                      xor   r8d, r8d
    '45 31 c9', //                      xor   r9d, r9d
    'b8', long(SYS_io_uring_enter), //  mov   eax, 426
    '0f 05', //                         syscall
    'c3', //                            ret
  ];
  return machineCode(code);
}
