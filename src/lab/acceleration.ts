import { access, constants, readFile, rename, writeFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import path from 'node:path';
import { cacheDirectory } from './cache.ts';
import { startGuest } from './guest.ts';
import type { LabImage } from './image.ts';
import type { TaskOptions } from './progress.ts';
import type { Acceleration } from './qemu.ts';

/** A guest that KVM can run has booted after two seconds. One that it cannot run may hang for ever. */
const PROBE_SECONDS = 8;
const SIGN_OF_LIFE = 'lab-probe-alive';

/**
 * Chooses KVM where it really runs this guest, and emulation elsewhere. That /dev/kvm opens proves nothing (nested
 * virtualisation may abort or hang), so the guest's kernel is booted once. The answer is kept for this host kernel, CPU and QEMU.
 */
export async function chooseAcceleration(
  image: LabImage,
  qemuMajor: number,
  options: TaskOptions,
): Promise<Acceleration> {
  if (!(await kvmOpens())) return 'tcg';
  const file = path.join(cacheDirectory(), 'acceleration.json');
  const question = [release(), cpus()[0]?.model, `QEMU ${qemuMajor}`, image.kernelRelease].join(', ');
  const known = await readAnswer(file, question);
  if (known) return known;
  options.onProgress?.('trying KVM');
  const acceleration = (await kvmRunsGuest(image, qemuMajor, options)) ? 'kvm' : 'tcg';
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify({ question, acceleration })}\n`);
  await rename(temporary, file);
  return acceleration;
}

async function kvmOpens(): Promise<boolean> {
  return access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
}

async function readAnswer(file: string, question: string): Promise<Acceleration | undefined> {
  try {
    const answer = JSON.parse(await readFile(file, 'utf8')) as { question?: unknown; acceleration?: unknown };
    if (answer.question !== question) return undefined;
    return answer.acceleration === 'kvm' || answer.acceleration === 'tcg' ? answer.acceleration : undefined;
  } catch {
    return undefined;
  }
}

async function kvmRunsGuest(image: LabImage, qemuMajor: number, { signal }: TaskOptions): Promise<boolean> {
  const guest = startGuest({
    acceleration: 'kvm',
    qemuMajor,
    memory: '1G',
    cpus: 1,
    instructions: false,
    kernel: image.kernel,
    root: image.root,
    disks: [],
    channels: [{ name: 'console', kind: 'kernel-console' }],
    bootScript: `echo ${SIGN_OF_LIFE}; exec sleep 60`,
  });
  try {
    const alive = new Promise<boolean>((resolve) => {
      guest.channel('console').on('data', () => {
        if (guest.lastWords().includes(SIGN_OF_LIFE)) resolve(true);
      });
      setTimeout(resolve, PROBE_SECONDS * 1000, false).unref();
    });
    return await Promise.race([alive, guest.died.catch(() => false)]);
  } finally {
    guest.kill();
    signal?.throwIfAborted();
  }
}
