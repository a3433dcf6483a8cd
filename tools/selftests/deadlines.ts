/**
 * Selftests that fail when something takes long, by the clock on the wall: generic_06 allows five seconds for killing a
 * server, which takes three calls of the program, and batch_04 as many for a run of fio. An emulated machine with
 * neighbours cannot promise that. They run in a guest that counts instructions instead, where a second is a billion of
 * them whatever else the host does.
 */
export const DEADLINES: readonly string[] = ['generic_06', 'batch_04'];

export function hasDeadline(test: string): boolean {
  return DEADLINES.includes(test);
}
