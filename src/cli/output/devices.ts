/** Devices for a person: one line for each in a list, and a few lines for one that was just made. */
import { type DeviceReport, hasFeature } from '../../device/report/report.ts';
import { isPaused } from '../../record/paused.ts';
import { formatSize } from '../../sizes.ts';
import { registerCommand } from '../../spec/sealed-memory.ts';
import { escapeControls } from '../../text/escape.ts';
import { wholePercent } from '../../text/percent.ts';
import { deviceText } from './kublk-text.ts';
import { stateStyle, styles } from './styles.ts';
import { nextLine } from './next.ts';
import { times } from './symbols.ts';
import { type Column, NOTHING, renderTable, terminalWidth } from './table.ts';
import { targetColumn, targetText } from './target-cell.ts';
import type { Views } from './views.ts';

const COLUMNS: readonly Column<DeviceReport>[] = [
  { heading: 'ID', align: 'right', cell: ({ id }) => String(id) },
  { heading: 'DEVICE', cell: ({ path }) => path, style: () => styles.path },
  targetColumn,
  {
    heading: 'STATE',
    cell: stateText,
    style: ({ state, deleting }) => (deleting === null ? stateStyle(state) : styles.warning),
  },
  { heading: 'SIZE', align: 'right', cell: ({ size_bytes }) => formatSize(size_bytes) },
  { heading: 'QUEUES', align: 'right', optional: true, cell: ({ nr_hw_queues }) => String(nr_hw_queues) },
  { heading: 'DEPTH', align: 'right', optional: true, cell: ({ queue_depth }) => String(queue_depth) },
  { heading: 'PID', align: 'right', cell: ({ ublksrv_pid }) => (ublksrv_pid > 0 ? String(ublksrv_pid) : NOTHING) },
  { heading: 'DATA PATH', cell: ({ data_path }) => data_path ?? NOTHING },
  { heading: 'MATCHED', align: 'right', cell: matchedCell },
];

/** Shown when a resident server serves any of the devices. */
const serverColumn: Column<DeviceReport> = { heading: 'SERVER', cell: ({ server }) => server ?? NOTHING };

/** Sentences on how the data of devices travels (watch/verdicts.ts), by the id of the device. */
export type Verdicts = ReadonlyMap<number, string>;

/** The devices that `list` prints. `notice` says why they could not be asked about, or is null. */
export function devicesViews(
  devices: readonly DeviceReport[],
  notice: string | null,
  verdicts: Verdicts = new Map(),
): Views {
  return {
    json: { devices, notice },
    kublk: () => devices.map(deviceText).join(''),
    table: () => (devices.length === 0 && notice !== null ? 'no ublk devices\n' : devicesTable(devices, verdicts)),
  };
}

/** The device that `add` or `recover` made. */
export function newDeviceViews(device: DeviceReport): Views {
  return { json: { device }, kublk: () => deviceText(device), table: () => deviceCard(device) };
}

/** The scan for partitions and udev's look at a new disk take fewer requests, none of which can match. */
const REQUESTS_OF_A_SCAN = 100;

/** Whether it shares memory with its clients, and some of their requests were copied all the same. */
export function missesMatches(device: DeviceReport): boolean {
  const { io } = device;
  return (
    io !== null && hasFeature(device, 'SHMEM_ZC') && io.copied.requests + io.registered.requests > REQUESTS_OF_A_SCAN
  );
}

export function devicesTable(
  devices: readonly DeviceReport[],
  verdicts: Verdicts = new Map(),
  width: number = terminalWidth(),
): string {
  if (devices.length === 0) return `no ublk devices; ${styles.path('ublkts add -t null')} makes one\n`;
  const remarks = devices.map((device) => remark(device) ?? verdictLine(device, verdicts));
  const columns = devices.some(({ server }) => server !== null) ? [...COLUMNS, serverColumn] : COLUMNS;
  return renderTable(columns, devices, width) + remarks.join('');
}

/** Says what was made, and which command a person wants next. */
export function deviceCard(device: DeviceReport): string {
  const facts = [
    escapeControls(targetText(device)),
    formatSize(device.size_bytes),
    `${device.nr_hw_queues} ${times()} ${device.queue_depth} requests`,
    dataPathText(device),
    device.server === null ? `pid ${device.ublksrv_pid}` : `server ${device.server} (pid ${device.ublksrv_pid})`,
  ].filter((fact) => fact !== null);
  const lines = [`${styles.path(device.path)} is ${stateStyle(device.state)(device.state)}: ${facts.join(', ')}`];
  for (const { index, len, read_only, source } of device.buffers ?? []) {
    lines.push(`  buffer ${index}: ${formatSize(len)}${read_only ? ' read-only' : ''} ${escapeControls(source)}`);
  }
  return `${lines.join('\n')}\n${nextLine(nextCommand(device))}`;
}

/** The data path serves only what does not match, where memory is shared. */
function dataPathText(device: DeviceReport): string | null {
  const { data_path } = device;
  return data_path !== null && hasFeature(device, 'SHMEM_ZC') ? `shared memory, else ${data_path}` : data_path;
}

function stateText({ state, deleting }: DeviceReport): string {
  return deleting === null ? state : 'DELETING';
}

/** Returns the line that says what is wrong with the device and what to do about it; null when nothing is. */
function remark({ id, target, state, seen_from, server_state, deleting, last_error }: DeviceReport): string | null {
  // The remark itself says what a device waits for that is being deleted, whose server is paused, or that is not
  // asked.
  const isServed = last_error === null ? isAtWork(state, server_state) : state === 'LIVE' && server_state === 'running';
  // Another program that makes or recovers a device of its own does not say so.
  const isUnknown = target === null && last_error === null;
  const needsNothing = isUnknown || deleting !== null || isPaused(server_state) || isServed || seen_from === 'sysfs';
  const parts = [
    ...(last_error === null ? [] : [escapeControls(last_error)]),
    ...(needsNothing ? [] : [adviceFor(state, id)]),
  ];
  return parts.length === 0 ? null : `${styles.warning(`device ${id}:`)} ${parts.join('; ')}\n`;
}

/** The device is served, or its server is starting it or recovering it. */
function isAtWork(state: string, server: string | null): boolean {
  return state === 'LIVE' || server === 'running';
}

function adviceFor(state: string, id: number): string {
  if (state === 'QUIESCED') return `its I/O waits, and \`ublkts recover -n ${id}\` lets it go on`;
  if (state === 'FAIL_IO') return `its I/O fails until \`ublkts recover -n ${id}\``;
  return `\`ublkts del -n ${id}\` removes it`;
}

/** Requests that do not match are copied silently, so the list says why. */
function verdictLine({ id }: DeviceReport, verdicts: Verdicts): string {
  const verdict = verdicts.get(id);
  return verdict === undefined ? '' : `${styles.warning(`device ${id}:`)} ${verdict}\n`;
}

function nextCommand(device: DeviceReport): string {
  const { id, buffers, target } = device;
  const matchesNothing = hasFeature(device, 'SHMEM_ZC') && (buffers ?? []).length === 0;
  return matchesNothing
    ? registerCommand(id, target?.type ?? null, 'PATH')
    : `ublkts monitor -n ${id}, ublkts del -n ${id}`;
}

/** The share of requests that needed no copy because they lay in a registered buffer. */
function matchedCell(device: DeviceReport): string {
  const { io } = device;
  if (io === null || !hasFeature(device, 'SHMEM_ZC')) return NOTHING;
  const all = io.matched.requests + io.registered.requests + io.copied.requests;
  return all === 0 ? NOTHING : `${wholePercent(io.matched.requests / all)}%`;
}
