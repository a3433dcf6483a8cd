/** Explains why io_uring_setup(2) failed: the sysctl, a filter, an old kernel, or a limit. */
import { readFileSync } from 'node:fs';
import { UblkError } from '../../errors.ts';
import { errnoName, errnoText } from '../uapi/errno.ts';

const POLICY = '/proc/sys/kernel/io_uring_disabled';
const FAILED = 'io_uring_setup';

/** The value of the sysctl kernel.io_uring_disabled, or null where the kernel does not have it (before Linux 6.6). */
export function ioUringPolicy(): string | null {
  try {
    return readFileSync(POLICY, 'latin1').trim();
  } catch {
    return null;
  }
}

/**
 * The error. `policy` is what ioUringPolicy returns. Its kind is `unsupported` when this process cannot have any ring.
 */
export function ringSetupFailure(errno: number, policy: string | null = ioUringPolicy()): UblkError {
  const code = errnoName(errno);
  const { text, hint } = explain(code, policy);
  const isRefused = code === 'EPERM' || code === 'EACCES' || code === 'ENOSYS';
  return new UblkError(text ?? `${FAILED}: ${errnoText(errno)}`, {
    code,
    command: FAILED,
    ...(isRefused || code === 'EINVAL' ? { kind: 'unsupported' } : {}),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Whether the error says that this process can have no ring at all. */
export function isRingRefusal(error: unknown): error is UblkError {
  return error instanceof UblkError && error.command === FAILED && error.kind === 'unsupported';
}

function explain(code: string, policy: string | null): { readonly text?: string; readonly hint?: string } {
  switch (code) {
    case 'EPERM':
    case 'EACCES':
      return refusal(policy);
    case 'ENOSYS':
      return {
        text: 'this kernel has no io_uring, or a seccomp filter hides it',
        hint: 'containers filter it: allow io_uring_setup, io_uring_enter and io_uring_register in the seccomp profile',
      };
    case 'EINVAL':
      return { hint: 'the kernel is too old: ublk needs rings of 128-byte entries (Linux 5.19)' };
    default:
      return {};
  }
}

function refusal(policy: string | null): { readonly text: string; readonly hint: string } {
  if (policy === '2') {
    return {
      text: 'io_uring is switched off on this machine (sysctl kernel.io_uring_disabled is 2)',
      hint: '`sysctl kernel.io_uring_disabled=0`',
    };
  }
  if (policy === '1') {
    return {
      text: 'io_uring is switched off for this user (sysctl kernel.io_uring_disabled is 1)',
      hint: '`sysctl kernel.io_uring_disabled=0`, run as root, or name a group of this user in kernel.io_uring_group',
    };
  }
  return {
    text: 'a seccomp filter or a security module refuses io_uring',
    hint: 'containers filter it: allow io_uring_setup, io_uring_enter and io_uring_register in the seccomp profile',
  };
}
