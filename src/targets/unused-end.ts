/** Says which bytes at the end of what a device is made of are not in it, because it consists of whole units. */

/** Notes for `Opened.notes`; none when there is no rest. `what` has so many bytes; `unit` is, for example, `blocks`. */
export function unusedEnd(what: string, bytes: number, unit: string, unitBytes: number): string[] {
  const rest = bytes % unitBytes;
  if (rest === 0) return [];
  return [
    `${what} has ${bytes} bytes, and the device whole ${unit} of ${unitBytes}: the last ${rest} bytes are left out`,
  ];
}
