/**
 * The main thread of a server runs code of a target's own: the top level of its file, `setup`, and what these leave running. Were
 * one of them to call `process.exit`, Node would wait for the queue threads, which are in the kernel: the process would neither
 * answer nor end.
 */
export function refuseExit(): void {
  process.exit = (): never => {
    throw new Error('the code of the target has called process.exit: let it throw an error instead');
  };
}
