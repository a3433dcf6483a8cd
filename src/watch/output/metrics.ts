/** The counters of all devices for Prometheus: once, or for as long as someone asks. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UblkError, usageError } from '../../errors.ts';
import { type ExposedDevice, exposition, EXPOSITION_TYPE, families, type Family } from './exposition.ts';
import { Sampler } from '../sampling/sampler.ts';
import type { DeviceSample } from '../sampling/sample.ts';
import { stateOf } from '../model/states.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export function takeMetrics(device?: number): Family[] {
  const sampler = new Sampler();
  try {
    return metricsOf(sampler, device);
  } finally {
    sampler.close();
  }
}

/** `127.0.0.1:9432`, `[::1]:9432`, `:9432` (every address) or `9432` (this machine only). */
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
  close(): Promise<void>;
}

/** Reads the counters anew for every request. */
export async function serveMetrics(address: Address, device?: number): Promise<MetricsServer> {
  const sampler = new Sampler();
  const server = createServer((request, response) => respond(request, response, () => metricsOf(sampler, device)));
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
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      sampler.close();
    },
  };
}

async function listen(server: Server, { host, port }: Address): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'EIO';
    throw new UblkError(`cannot listen on ${host}:${port}: ${code}`, {
      code,
      kind: code === 'EADDRINUSE' ? 'busy' : code === 'EACCES' ? 'permission' : 'failed',
      hint: 'another program may have the port: choose one with --listen HOST:PORT',
    });
  }
}

function respond(request: IncomingMessage, response: ServerResponse, metrics: () => Family[]): void {
  const [path] = (request.url ?? '/').split('?');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
  } else if (path === '/metrics') {
    answer(response, metrics);
  } else if (path === '/') {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<a href="/metrics">ublk metrics</a>\n');
  } else {
    response.writeHead(404).end();
  }
}

function answer(response: ServerResponse, metrics: () => Family[]): void {
  try {
    response.writeHead(200, { 'content-type': EXPOSITION_TYPE }).end(exposition(metrics()));
  } catch (error) {
    response.writeHead(500, { 'content-type': 'text/plain' }).end(`${(error as Error).message}\n`);
  }
}

function metricsOf(sampler: Sampler, device: number | undefined): Family[] {
  return families(sampler.take({ device, heat: false }).devices.map(exposed));
}

function exposed(sample: DeviceSample): ExposedDevice {
  const { id, kernel, own, stats, block, sizeBytes, serverRuns } = sample;
  return {
    id,
    state: stateOf(sample).word,
    target: own?.target ?? null,
    dataPath: own?.dataPath ?? null,
    queues: kernel?.queues ?? own?.queues ?? 0,
    depth: kernel?.depth ?? own?.depth ?? 0,
    sizeBytes,
    serverRuns,
    stats,
    block,
    buffers: own?.buffers ?? [],
  };
}
