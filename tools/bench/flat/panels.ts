/** The points as plots: one for each curve, and one more for the bytes that a request carries. Pure. */
import {
  costOfPage,
  CURVES,
  type Curve,
  type CurveName,
  type Point,
  pointsOf,
  type Server,
  valueName,
} from './curves.ts';
import { drawPlots, type Line, type Panel } from './plot.ts';

export function drawCurves(points: readonly Point[]): string {
  const measured = CURVES.filter(({ name }) => points.some(({ curve }) => curve === name));
  return drawPlots(
    'Instructions per request to null',
    measured.flatMap((curve) => panelsOf(curve, points)),
  );
}

function panelsOf(curve: Curve, points: readonly Point[]): Panel[] {
  const tick = (value: number) => tickName(curve, value);
  const panel = (title: string, cost: (point: Point) => number): Panel => ({
    title,
    tick,
    lines: curve.servers.map((server) => lineOf(points, curve.name, server, cost)),
  });
  const whole = panel(`against ${curve.title}`, ({ cost }) => cost);
  return curve.name === 'size' ? [whole, panel(`for 4 KiB, against ${curve.title}`, costOfPage)] : [whole];
}

function lineOf(points: readonly Point[], curve: CurveName, server: Server, cost: (point: Point) => number): Line {
  return {
    name: server,
    points: pointsOf(points, curve, server).map((point) => [point.value, cost(point)]),
  };
}

/** 1024 is as wide as three columns: of eleven values every second has room for its name. */
function tickName({ name, values }: Curve, value: number): string {
  return values.length > 8 && values.indexOf(value) % 2 === 1 ? '' : valueName(name, value);
}
