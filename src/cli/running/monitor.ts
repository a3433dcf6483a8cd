/**
 * Loads the monitor when it is to be shown. It is built as ES modules, because Ink is one, and the commands are not
 * (docs/decisions/0016).
 */
import { pathToFileURL } from 'node:url';
import { packagePath } from '../../package-root.ts';

type Run = typeof import('../../monitor/run.ts');
type Foreground = typeof import('../../monitor/foreground.ts');

export function loadMonitor(): Promise<Run> {
  return load('run') as Promise<Run>;
}

export function loadForegroundMonitor(): Promise<Foreground> {
  return load('foreground') as Promise<Foreground>;
}

function load(name: string): Promise<unknown> {
  return import(pathToFileURL(packagePath('dist', 'monitor', `${name}.js`)).href);
}
