/**
 * Runs inside the lab's guest, whose clock counts instructions: `node tools/bench/flat/guest.ts CURVE [VALUE]` prints a line of
 * JSON for each point of a curve, or for one of them.
 */
import { CURVES, type CurveName, type Point } from './curves.ts';
import { buffersCurve } from './guest/buffers.ts';
import { depthCurve } from './guest/depth.ts';
import { devicesCurve } from './guest/devices.ts';
import { queuesCurve } from './guest/queues.ts';
import { sizeCurve } from './guest/size.ts';
import type { Report } from './report.ts';

const WAYS: Readonly<Record<CurveName, (values: readonly number[], report: Report) => Promise<void>>> = {
  depth: depthCurve,
  queues: queuesCurve,
  size: sizeCurve,
  buffers: buffersCurve,
  devices: devicesCurve,
};

const [name, value] = process.argv.slice(2);
const curve = CURVES.find((known) => known.name === name);
if (curve === undefined) throw new Error(`no such curve: ${name}`);
await WAYS[curve.name](value === undefined ? curve.values : [Number(value)], (value, server, cost) => {
  const point: Point = { curve: curve.name, value, server, cost };
  process.stdout.write(`${JSON.stringify(point)}\n`);
});
