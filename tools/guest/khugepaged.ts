/**
 * Keeps khugepaged out of a measurement. It goes through all memory every ten seconds and makes huge pages of small ones, for
 * milliseconds, and with the lowest priority: who needs one of these pages meanwhile waits until it has had its turn. The
 * lab's guest is thrown away afterwards.
 */
import { writeFileSync } from 'node:fs';

const SCAN_SLEEP_MS = '/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs';
const WEEKS_MS = '4000000000';

export function stopKhugepaged(): void {
  writeFileSync(SCAN_SLEEP_MS, WEEKS_MS);
}
