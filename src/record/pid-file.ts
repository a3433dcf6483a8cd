/** The process id of a device's server in a file of its own, as supervisors of processes read it (systemd's PIDFile=). */
import { filesOf, unfinishedFile } from './files.ts';
import { removeFile, writeWhole } from './run-files.ts';

/** This process is the server. A resident one serves many devices and is nobody's process of one of them, so it has no such file. */
export function writePidFile(device: number, isResident: boolean): void {
  const { pid } = filesOf(device);
  if (isResident) removeFile(pid);
  else writeWhole(pid, unfinishedFile(device, 'pid'), `${process.pid}\n`, 0o644);
}
