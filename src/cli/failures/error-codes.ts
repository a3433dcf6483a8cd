/** The words that are the `code` of errors where no system call has failed, and their meanings, for the generated documents. */
export const ERROR_CODE_MEANINGS: readonly (readonly [code: string, meaning: string])[] = [
  ['BAD_VALUE', 'A flag, an argument or an option is not valid, or does not go with another one.'],
  ['UNKNOWN_COMMAND', 'There is no such command.'],
  ['INTERRUPTED', 'A signal has ended the command.'],
  ['TIMEOUT', 'What was waited for did not come in time.'],
  ['NO_SERVER', 'No resident server of that name runs.'],
  ['SERVER_DIED', 'The server ended before it had done what was asked.'],
  ['PROGRAM_DIED', 'The program of an nbd device ended, or could not be started.'],
  ['BAD_TARGET', 'The code of a target of your own is at fault.'],
  ['CUT_SHORT', 'The code of a target ended the process of the command.'],
  ['NOT_LIVE', 'The device is not live, so `bench` cannot measure it.'],
  ['FIO', 'The fio of `bench` has failed.'],
  ['LAB', 'The lab could not do what was asked.'],
  ['GUEST_DIED', "The lab's guest ended."],
  ['GUEST_PANIC', "The kernel of the lab's guest panicked."],
  ['ESCAPED', 'The lab shell was left by its keys.'],
  ['INTERNAL', 'A defect of ublkts, or an error that it does not know.'],
];
