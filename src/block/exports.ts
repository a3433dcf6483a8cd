/**
 * Disks and files that the kernel itself serves to others: nvmet (NVMe over a network) and LIO (SCSI). No process has them
 * open, and a disk has no holder in /sys by them. configfs shows them, and nothing there waits for a disk.
 */
import { namesIn, readText } from '../native/kernel-files.ts';
import { quoteWord } from '../text/shell-words.ts';
import { type DeviceNumber, numberOfNode } from './number.ts';

export interface KernelExport {
  /** Who serves it, for a sentence: "nvmet (subsystem s, namespace 1)". */
  readonly name: string;
  /** Its disk, unless it is a file. */
  readonly device: DeviceNumber | null;
  readonly file: string;
  /** The command that ends it. */
  readonly release: string;
}

const CONFIG = '/sys/kernel/config';

export function kernelExports(): KernelExport[] {
  return [...nvmetNamespaces(), ...lioStores()];
}

function nvmetNamespaces(): KernelExport[] {
  const root = `${CONFIG}/nvmet/subsystems`;
  return namesIn(root).flatMap((subsystem) =>
    namesIn(`${root}/${subsystem}/namespaces`).flatMap((namespace) => {
      const folder = `${root}/${subsystem}/namespaces/${namespace}`;
      const file = readText(`${folder}/device_path`);
      if (file === null || readText(`${folder}/enable`) !== '1') return [];
      const name = `nvmet (subsystem ${subsystem}, namespace ${namespace})`;
      return [{ name, file, device: numberOfNode(file), release: `echo 0 > ${quoteWord(`${folder}/enable`)}` }];
    }),
  );
}

/** The kinds of stores for disks and for files: LIO's folders begin with the key, and targetcli names the kind by the value. */
const LIO_KINDS = { iblock: 'block', fileio: 'fileio' } as const;

function lioStores(): KernelExport[] {
  const root = `${CONFIG}/target/core`;
  return Object.entries(LIO_KINDS).flatMap(([kind, known]) =>
    namesIn(root).flatMap((folder) => {
      if (!folder.startsWith(`${kind}_`)) return [];
      return namesIn(`${root}/${folder}`).flatMap((store) => {
        const below = parseLioInfo(readText(`${root}/${folder}/${store}/info`) ?? '');
        if (below === null) return [];
        const release = `targetcli /backstores/${known} delete ${quoteWord(store)}`;
        const device = below.device ?? numberOfNode(below.file);
        return [{ name: `LIO (${known}/${store})`, file: below.file, device, release }];
      });
    }),
  );
}

/** The disk or file of a store that is in use; the text of one that is not yet names none. */
export function parseLioInfo(text: string): Pick<KernelExport, 'device' | 'file'> | null {
  const [, file] =
    /UDEV PATH: (.*?) {2}readonly:|\sFile: (.*?) {2}Size:/.exec(text)?.filter((part) => part !== undefined) ?? [];
  if (file === undefined) return null;
  const [, major, minor] = /Major: (\d+) Minor: (\d+)/.exec(text) ?? [];
  return { file, device: major === undefined ? null : `${major}:${minor}` };
}
