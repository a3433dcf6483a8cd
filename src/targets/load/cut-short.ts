import { UblkError } from '../../errors.ts';

/** The error of a command that has ended before it was done, because of code of a target. */
export function cutShort(why: string): UblkError {
  return new UblkError(`the command has ended before it was done: ${why}`, {
    code: 'CUT_SHORT',
    hint: "the top level of a target's file should only define it, and its functions should throw, not end the process",
  });
}
