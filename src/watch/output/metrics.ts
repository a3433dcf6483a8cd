/** The counters of all devices for Prometheus: printed once, or served over HTTP. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isThere } from '../../control/discovery.ts';
import { missingDriver } from '../../control/missing-driver.ts';
import { usageError } from '../../errors.ts';
import { exposition, EXPOSITION_TYPE } from './exposition.ts';
import { families } from './families.ts';
import type { ExposedDevice, Family } from './family.ts';
import { type Address, listenFailure } from './listen-failure.ts';
import { isServing } from '../../record/process-state.ts';
import { Sampler } from '../sampling/sampler.ts';
import type { DeviceSample } from '../sampling/sample.ts';
import { stateOf } from '../model/states.ts';

export interface Metrics {
  readonly families: Family[];
  /** Why the driver could not be asked about a device, in words, or null. */
  readonly notice: string | null;
}

export async function takeMetrics(device?: number): Promise<Metrics> {
  const sampler = new Sampler();
  try {
    return await metricsOf(sampler, device);
  } finally {
    sampler.close();
  }
}

/** Understands `127.0.0.1:9432`, `[::1]:9432`, `:9432` (every address) and `9432` (this machine only). */
export function parseAddress(text: string): Address {
  const groups = /^(?:(?:\[(?<six>[^\]]+)\]|(?<host>[^:]*)):)?(?<port>\d{1,5})$/.exec(text)?.groups;
  const port = Number(groups?.['port'] ?? Number.NaN);
  if (!(port <= 65_535)) {
    throw usageError(`${JSON.stringify(text)} is not an address`, 'write 127.0.0.1:9432, [::1]:9432 or just 9432');
  }
  const host = groups?.['six'] ?? groups?.['host'];
  return { host: host === undefined ? '127.0.0.1' : host === '' ? '::' : host, port };
}

export interface MetricsServer {
  readonly url: string;
  /** Says why there is nothing to serve yet: no driver is loaded, or the device is not there. Null when there is something. */
  readonly notice: string | null;
  close(): Promise<void>;
}

/** Serves /metrics; every request reads the counters. */
export async function serveMetrics(address: Address, device?: number): Promise<MetricsServer> {
  const sampler = new Sampler();
  // Requests that come while a sample is being taken get that sample.
  let taking: Promise<Metrics> | undefined;
  const metrics = () => {
    taking ??= metricsOf(sampler, device).finally(() => {
      taking = undefined;
    });
    return taking;
  };
  const server = createServer((request, response) => respond(request, response, metrics));
  try {
    await listen(server, address);
  } catch (error) {
    sampler.close();
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return {
    url: `http://${host}:${port}/metrics`,
    notice: missingDriver() ?? missingDevice(device),
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      sampler.close();
    },
  };
}

function missingDevice(device: number | undefined): string | null {
  if (device === undefined || isThere(device)) return null;
  return `there is no device ${device} now; its counters are served when it is there`;
}

async function listen(server: Server, { host, port }: Address): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw listenFailure({ host, port }, error as NodeJS.ErrnoException);
  }
}

function respond(request: IncomingMessage, response: ServerResponse, metrics: () => Promise<Metrics>): void {
  const [path] = (request.url ?? '/').split('?');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
  } else if (path === '/metrics') {
    void answer(response, metrics);
  } else if (path === '/') {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<a href="/metrics">ublk metrics</a>\n');
  } else {
    response.writeHead(404).end();
  }
}

async function answer(response: ServerResponse, metrics: () => Promise<Metrics>): Promise<void> {
  try {
    const text = exposition((await metrics()).families);
    response.writeHead(200, { 'content-type': EXPOSITION_TYPE }).end(text);
  } catch (error) {
    response.writeHead(500, { 'content-type': 'text/plain' }).end(`${(error as Error).message}\n`);
  }
}

async function metricsOf(sampler: Sampler, device: number | undefined): Promise<Metrics> {
  const { devices, notice } = await sampler.take({ device, heat: false });
  return { families: families(devices.map(exposed)), notice };
}

function exposed(sample: DeviceSample): ExposedDevice {
  const { id, kernel, own, stats, block, sizeBytes, server } = sample;
  return {
    id,
    state: stateOf(sample).word,
    target: own?.target ?? null,
    dataPath: own?.dataPath ?? null,
    resident: own?.resident ?? null,
    queues: kernel?.queues ?? own?.queues ?? 0,
    depth: kernel?.depth ?? own?.depth ?? 0,
    sizeBytes,
    serverRuns: isServing(server),
    stats,
    block,
    buffers: own?.buffers ?? [],
  };
}
