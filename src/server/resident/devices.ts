/** The devices of a resident server, as its requests ask for them. */
import { isAbsolute } from 'node:path';
import { UblkError } from '../../errors.ts';
import { currentNamespace, type Namespace } from '../../native/namespaces.ts';
import { encodeError } from '../../protocol/error-wire.ts';
import type { ResidentEvent, ResidentRequest } from '../../protocol/resident-requests.ts';
import { requireRecord } from '../../record/attempt.ts';
import type { ServerOptions } from '../../spec/server-options.ts';
import { namespacesOf } from '../../targets/namespaces.ts';
import { builtInTarget } from '../../targets/registry.ts';
import { checkDescriptorsLeft, descriptorNeeds } from '../descriptor-budget.ts';
import { Devices } from '../devices.ts';
import { log } from '../log.ts';
import { becomeKillable } from '../out-of-memory.ts';
import { SharedThreads } from '../shared/shared-threads.ts';
import { ProgramFiles } from './program-files.ts';

/** A device that has had no request between two looks is idle. */
const LOOK_MS = 5_000;

export class ResidentDevices {
  readonly #devices: Devices;
  readonly #name: string;
  readonly #shared: SharedThreads;
  readonly #files = new ProgramFiles();
  readonly #followers = new Set<(event: ResidentEvent) => void>();
  /** The server is asked to end, and takes no devices. */
  isEnding = false;

  constructor(name: string, options: ServerOptions) {
    this.#name = name;
    this.#shared = new SharedThreads(options);
    this.#devices = new Devices(name, this.#shared, () => this.#requireStaying());
    setInterval(() => this.#devices.look(), LOOK_MS).unref();
  }

  get ids(): number[] {
    return this.#devices.ids;
  }

  /** The ids of devices that are being started. */
  get starting(): number[] {
    return this.#devices.starting;
  }

  get isEmpty(): boolean {
    return this.#devices.isEmpty;
  }

  /** Resolves with the device's notes when it is live. */
  async start({
    device: id,
    mode,
    attempt,
    mounts,
    network,
  }: Extract<ResidentRequest, { op: 'start' }>): Promise<readonly string[]> {
    this.#requireStaying();
    this.#files.requireSame(this.#name);
    const { spec } = requireRecord(id, attempt);
    const callers = { mnt: mounts, net: network ?? currentNamespace('net') };
    for (const kind of namespacesOf(spec)) {
      if (callers[kind] !== currentNamespace(kind)) throw otherNamespace(kind, this.#name, id);
    }
    const needs = descriptorNeeds(spec, builtInTarget(spec.target) ?? null);
    checkDescriptorsLeft(this.#shared.takes(spec) ? { ...needs, threads: 0 } : needs);
    // The code in a file can leak, and then it is this process that must be ended.
    if (isAbsolute(spec.target)) becomeKillable();
    const { notes, gone } = await this.#devices.start({ id, mode, attempt });
    this.#tell({ event: 'live', device: id });
    const say = spec.quiet ? () => {} : log;
    say(
      `device ${id} (${[spec.target, ...spec.files].join(' ')}) ${mode === 'recover' ? 'has been recovered' : 'is live'}`,
    );
    for (const note of notes) say(`device ${id}: ${note}`);
    gone.then(
      () => this.#left(id, say),
      (error: unknown) => this.#tell({ event: 'failed', device: id, error: encodeError(error) }),
    );
    return notes;
  }

  /** Calls `tell` with the devices that there are, and then with what happens to them, until the returned function is called. */
  follow(tell: (event: ResidentEvent) => void): () => void {
    tell({ event: 'devices', devices: this.ids });
    this.#followers.add(tell);
    return () => void this.#followers.delete(tell);
  }

  /** Ends the threads, when there is no device any more. */
  async end(): Promise<void> {
    await this.#shared.end();
  }

  async quiesce(id: number): Promise<void> {
    const device = this.#devices.get(id);
    if (device === undefined) throw notServed(this.#name, id);
    await device.quiesce();
  }

  #requireStaying(): void {
    if (this.isEnding) throw endingError(this.#name);
  }

  #left(device: number, say: (text: string) => void): void {
    say(`device ${device} has left`);
    this.#tell({ event: 'left', device });
  }

  #tell(event: ResidentEvent): void {
    for (const tell of this.#followers) tell(event);
  }
}

function endingError(name: string): UblkError {
  return new UblkError(`the server ${name} is about to end and takes no device`, {
    code: 'ESHUTDOWN',
    kind: 'busy',
    hint: `\`ublkts serve --name ${name}\` starts it again`,
  });
}

function notServed(name: string, device: number): UblkError {
  return new UblkError(`the server ${name} does not serve device ${device}`, {
    code: 'ENODEV',
    kind: 'no-device',
    device,
  });
}

function otherNamespace(kind: Namespace, name: string, device: number): UblkError {
  const elsewhere =
    kind === 'mnt'
      ? `mount namespace, where the paths of device ${device} may lead to other files`
      : `network namespace, where the addresses of device ${device} may lead to other machines`;
  return new UblkError(`the server ${name} is in another ${elsewhere}`, {
    code: 'EXDEV',
    device,
    hint: 'start a server in this namespace, with another name, or add the device without a server',
  });
}
