/**
 * Whether one thread makes all the calls of libc in this process. A command says so when it begins; a server, and a program
 * that uses the library, may start more threads. It is no part of libc/ffi.ts, because saying it must not load libc.
 */
let isSaid = false;

/** Says that no other thread of this process will ever call libc through this package. */
export function callFromOneThread(): void {
  isSaid = true;
}

export function callsFromOneThread(): boolean {
  return isSaid;
}
