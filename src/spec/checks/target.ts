import { type UblkError, usageError } from '../../errors.ts';
import { type DataPath, dataPathNames, parseDataPathName } from '../data-paths.ts';
import { dataPathNameOf, dataPathOf, type DeviceSpec } from '../device-spec.ts';
import { option } from '../option-names.ts';
import { openRequest, type TargetTraits } from '../target-traits.ts';
import { quoteWord } from '../../text/shell-words.ts';

/** Whether the target can be what is asked of it. */
export function checkTarget(spec: DeviceSpec, target: TargetTraits): void {
  // Names of options come first: an option that was meant for another target explains a wrong number of files.
  checkOptionNames(spec, target);
  checkFileCount(spec, target);
  checkDataPath(spec, target);
  target.check(openRequest(spec, false));
}

export function checkOneThread({ threads }: DeviceSpec, { name, oneThread }: TargetTraits): void {
  if (oneThread === undefined || threads === 1) return;
  throw usageError(
    [`target ${name} is served by one thread, not by ${threads}: ${oneThread.because}`],
    ['leave ', option('threads'), ` out, or ${oneThread.otherwise}`],
  );
}

/** Whether the target takes so many backing files. */
export function checkFileCount(
  { files, integrity }: Pick<DeviceSpec, 'files' | 'integrity'>,
  target: Pick<TargetTraits, 'name' | 'files'>,
): void {
  const { name } = target;
  const { min, max } = target.files;
  const count = files.length - (integrity !== null && max > 0 ? 1 : 0);
  if (count >= min && count <= max) return;
  throw usageError(`target ${name} takes ${filesWanted(min, max)}, not ${files.length}`, hintFor(target));
}

function hintFor({ name, files: { max, instead } }: Pick<TargetTraits, 'name' | 'files'>): string {
  if (instead !== undefined) return `give it ${instead}`;
  return max === 0 ? 'leave out the files' : `for example: ublkts add -t ${name} FILE${max > 1 ? '...' : ''}`;
}

function checkDataPath(spec: DeviceSpec, { name, looksAtData, registeredPaths = [] }: TargetTraits): void {
  const isPossible = ({ name: path, registers }: DataPath) => !registers || registeredPaths.includes(path);
  if (looksAtData !== true || isPossible(dataPathOf(spec))) return;
  const others = dataPathNames().filter((path) => isPossible(parseDataPathName(path).path));
  throw usageError(
    `target ${name} reads and writes the bytes of requests, and the data path ${dataPathNameOf(spec)} shows it none`,
    [option('dataPath'), ` can be ${others.join(', ')}`],
  );
}

function filesWanted(min: number, max: number): string {
  if (max === 0) return 'no backing file';
  return min === max ? `${min} backing file${min === 1 ? '' : 's'}` : `${min} to ${max} backing files`;
}

function checkOptionNames(spec: DeviceSpec, target: TargetTraits): void {
  const { targetOptions } = spec;
  const { name, options } = target;
  const unknown = Object.keys(targetOptions).find((given) => !Object.hasOwn(options, given));
  if (unknown === undefined) return;
  if (unknown === 'size' && target.files.max > 0) throw sizeOfFiles(spec, target);
  const known = Object.keys(options).flatMap((own) => [', ', option(`targetOptions.${own}`)]);
  throw usageError(
    [`target ${name} has no option `, option(`targetOptions.${unknown}`)],
    known.length > 0 ? ['it has ', ...known.slice(1)] : 'it has no options of its own',
  );
}

/** A target that serves files has their size, so a size that is asked for is a file's to have. */
function sizeOfFiles({ files, targetOptions }: DeviceSpec, { name, files: { max } }: TargetTraits): UblkError {
  const [file = 'FILE'] = files;
  const size = targetOptions['size'] ?? 'SIZE';
  const whose = max === 1 ? 'that of its file' : 'made up of those of its files';
  const first =
    max === 1
      ? `\`truncate -s ${size} ${quoteWord(file)}\``
      : 'make every file as large as the others (`truncate -s SIZE FILE`)';
  return usageError(
    [`the size of a ${name} device is ${whose}, so it has no option `, option('targetOptions.size')],
    [
      'leave ',
      option('targetOptions.size'),
      ` out: ${first} before, or \`ublkts update_size -n N -s SIZE --grow\` later`,
    ],
  );
}
