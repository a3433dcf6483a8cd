import { BaseCommand } from '../cli/base-command.ts';
import { formatFlag } from '../cli/flags/format.ts';
import { oneByOne } from '../cli/failures/outcome.ts';
import { deviceArgs, namedDevices, numbersFlag } from '../cli/flags/device.ts';
import { onOff } from '../cli/flags/values.ts';
import { devicesViews, missesMatches, type Verdicts } from '../cli/output/devices.ts';
import { printNotes } from '../cli/output/notes.ts';
import { preferredFormat } from '../cli/output/views.ts';
import type { DeviceReport } from '../device/report/report.ts';
import type { UblkError } from '../errors.ts';

export default class List extends BaseCommand {
  static override summary = 'Show the ublk devices, including those of other programs.';
  static override description =
    "Prints a table on a terminal and kublk's text on a pipe. MATCHED is the share of requests whose data was in a registered shared buffer and was not copied. It counts every request since the server started, those of the scan for partitions and of other readers too. If it is below what you expect, a line below the table says why, and docs/shared-memory.md lists the reasons. A narrow terminal does not show QUEUES and DEPTH.";
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> -n 0 --format kublk',
    "<%= config.bin %> <%= command.id %> --json | jq '.devices[] | {path, state, io}'",
  ];
  static override aliases = ['ls'];
  static override args = { devices: deviceArgs };
  static override flags = {
    number: numbersFlag,
    all: onOff({ char: 'a', summary: 'Show every device. This is the default.', helpGroup: 'DEVICE' }),
    format: formatFlag,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(List);
    const { devices, failed } = await find(namedDevices(flags.number, args.devices));
    const { missingDriver } = await import('../control/missing-driver.ts');
    const notice = missingDriver() ?? ringNotice(devices);
    const table = !this.json && (flags.format ?? preferredFormat()) === 'table';
    const views = devicesViews(devices, notice, table ? await verdictsOn(devices) : undefined);
    if (failed.length === 0) this.print(views, flags.format);
    else this.printOutcome({ done: devices.map(({ id }) => id), failed }, views, flags.format);
    if (notice !== null && !this.json) printNotes([notice]);
    const isText = flags.format === 'kublk' || (flags.format === undefined && !process.stdout.isTTY);
    if (isText && !this.json) printNotes(devices.flatMap(stuckNote));
  }
}

/** Why requests of devices that share memory were copied. The model that knows is loaded only for such a device. */
async function verdictsOn(devices: readonly DeviceReport[]): Promise<Verdicts> {
  const ids = devices.filter(missesMatches).map(({ id }) => id);
  return ids.length === 0 ? new Map() : (await import('../watch/verdicts.ts')).verdictsOf(ids);
}

/** Says why the driver was not asked about a device, if it was not. */
function ringNotice(devices: readonly DeviceReport[]): string | null {
  const unasked = devices.find(({ seen_from }) => seen_from === 'sysfs');
  return unasked === undefined ? null : `device ${unasked.id}: ${unasked.last_error}`;
}

/** Says that requests are stuck in the target: kublk's text has no place for it. */
function stuckNote({ id, io, last_error }: DeviceReport): string[] {
  return (io?.stuck ?? null) === null ? [] : [`device ${id}: ${last_error}`];
}

interface Found {
  readonly devices: readonly DeviceReport[];
  readonly failed: readonly UblkError[];
}

/** Every device, or those that are named. One that is missing hides none of the others. */
async function find(ids: readonly number[]): Promise<Found> {
  const { describeDevice, listDevices } = await import('../device/report/list.ts');
  if (ids.length === 0) return { devices: await listDevices(), failed: [] };
  const devices: DeviceReport[] = [];
  const { failed } = await oneByOne(ids, async (id) => void devices.push(await describeDevice(id)));
  const [first] = failed;
  if (first !== undefined && devices.length === 0) throw first;
  return { devices, failed };
}
