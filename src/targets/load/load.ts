/** Loads a target from a file: the file's default export, as a TargetType. Node runs TypeScript as it is written. */
import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UblkError, usageError } from '../../errors.ts';
import { isObject } from '../../kinds.ts';
import { TARGET_BRAND, type TargetDefinition } from '../handlers/define.ts';
import { requireDefinition } from '../handlers/definition.ts';
import { handlersTarget } from '../handlers/index.ts';
import type { Opened, OpenRequest, TargetType } from '../target.ts';
import { withinBound } from './bound.ts';
import { importHint } from './import-hint.ts';
import { importTrusted } from './import.ts';
import { packageTypeOf } from './package-type.ts';
import { describeThrown, placeOf, readable } from './thrown.ts';

/** `file`: an absolute path. Throws a UblkError that names the file, and the line where there is one. */
export async function loadTarget(file: string): Promise<TargetType> {
  const target = await loadBranded(file);
  if (kindOf(target) === 'ring') return boundedRing(target as unknown as TargetType, file);
  return handlersTarget(requireDefinition(target, file), file);
}

/** The ring target with a bound on its `open`. What it has opened too late is closed. */
function boundedRing(type: TargetType, file: string): TargetType {
  const open = async (request: OpenRequest): Promise<Opened> => {
    const opening = (async () => type.open(request))();
    try {
      return await withinBound(opening, 'open', file);
    } catch (error) {
      opening.then(async (opened) => opened.close()).catch(() => {});
      throw readable(error);
    }
  };
  return { ...type, name: file, open };
}

/**
 * The same for a target that must be one of byte handlers, as it was defined. With another `copy`, the file's module runs
 * again and has variables of its own.
 */
export async function loadDefinition(file: string, copy?: string): Promise<TargetDefinition> {
  const target = await loadBranded(file, copy);
  if (kindOf(target) !== 'ring') return requireDefinition(target, file);
  throw usageError(
    `${file} is a ring target, which starts operations of the kernel: only a device can check it`,
    'add --lab, which makes one in a throwaway virtual machine',
  );
}

async function loadBranded(file: string, copy?: string): Promise<Readonly<Record<string, unknown>>> {
  if (!existsSync(file)) {
    throw new UblkError(`there is no target file ${file}`, {
      code: 'ENOENT',
      kind: 'usage',
      hint: 'put it there; `ublkts target new NAME` writes one to begin with',
    });
  }
  // A pipe would be waited for without end.
  const stat = statSync(file);
  if (!stat.isFile())
    throw usageError(`${file} is not a target: it is ${stat.isDirectory() ? 'a folder' : 'no regular file'}`);
  requireTypeScript(file);
  const exported = defaultOf(await importOf(file, copy));
  // A compiler that makes CommonJS of a module writes `exports.default = ...`, and Node's default is all of `exports`.
  const target = isTarget(exported) ? exported : defaultOf(exported);
  if (!isTarget(target)) throw notATarget(file);
  return target;
}

function defaultOf(exported: unknown): unknown {
  return isObject(exported) ? exported['default'] : undefined;
}

function isTarget(value: unknown): value is Readonly<Record<string, unknown>> {
  return isObject(value) && kindOf(value) !== undefined;
}

function kindOf(target: Readonly<Record<string, unknown>>): unknown {
  return Reflect.get(target, TARGET_BRAND);
}

const NO_CODE_FROM_TYPES =
  'Node removes the types and changes nothing else: an enum, a namespace, a parameter property or a decorator cannot stay';

const NO_TYPES_INSTALLED =
  'Node removes no types from what is installed in a node_modules: compile the file and name the .js, or keep it elsewhere';

/** The messages with which V8 refuses an ES module that Node takes for CommonJS. */
const NOT_A_MODULE = /^Cannot use import statement outside a module|^Unexpected token 'export'/;

function moduleHint(file: string): string {
  const ending = isTypeScript(file) ? '.mts' : '.mjs';
  const found = /\.c[jt]s$/.test(file) ? null : packageTypeOf(dirname(file));
  const more = found === null ? '' : `, or write "type": "module" in ${found.file}`;
  return `Node takes the file for CommonJS, which has no \`import\` and \`export\`: give it the ending ${ending}${more}`;
}

/** What Node's way of running TypeScript does not allow, where that is what the error is about. */
function hintOf(error: unknown, file: string): string | undefined {
  const hint = error instanceof Error ? importHint(error) : undefined;
  if (hint !== undefined) return hint;
  if (isObject(error) && error['code'] === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING') return NO_TYPES_INSTALLED;
  if (!(error instanceof SyntaxError)) return undefined;
  const name = /does not provide an export named '(.+)'/.exec(error.message)?.[1];
  if (name !== undefined) return `it has no such name; if ${name} is a type, write \`import { type ${name} }\``;
  if (NOT_A_MODULE.test(error.message)) return moduleHint(file);
  // V8 itself refuses a decorator, which it does not know. What the parser of types refuses too, and so has a place, is no decorator.
  const isUnknown = error.message === 'Invalid or unexpected token' && placeOf(error, file) === null;
  return (isUnknown && isTypeScript(file)) || Reflect.get(error, 'code') === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'
    ? NO_CODE_FROM_TYPES
    : undefined;
}

async function importOf(file: string, copy?: string): Promise<unknown> {
  const { href } = pathToFileURL(file);
  try {
    const query = copy ?? changeOf(file);
    return await importTrusted(query === '' ? href : `${href}?${query}`);
  } catch (error) {
    if (error instanceof UblkError) throw error;
    const hint = hintOf(error, file);
    throw new UblkError(`cannot load target ${file}: ${describeThrown(error, file)}`, {
      code: 'BAD_TARGET',
      kind: 'usage',
      ...(hint !== undefined && { hint }),
      cause: error,
    });
  }
}

/** The version of each target's file that this process imported first, by path. */
const firstVersions = new Map<string, string>();

/**
 * Node keeps a module for as long as the process lives. A resident server lives longer than a version of a file, so a file
 * that has changed since it was first imported is imported as another module. Returns what tells that module apart; empty: the
 * file has not changed. The files that it imports are not looked at.
 */
function changeOf(file: string): string {
  const { mtimeNs, ino, size } = statSync(file, { bigint: true });
  const version = `${mtimeNs}-${ino}-${size}`;
  const first = firstVersions.get(file) ?? version;
  firstVersions.set(file, first);
  return first === version ? '' : version;
}

/** Node has it without a flag since 22.18. */
function requireTypeScript(file: string): void {
  if (!isTypeScript(file) || process.features.typescript !== false) return;
  throw new UblkError(`cannot load target ${file}: Node ${process.versions.node} does not run TypeScript`, {
    code: 'ENOSYS',
    kind: 'unsupported',
    hint: 'use Node 22.18 or newer, or compile the file and name the .js',
  });
}

function notATarget(file: string): UblkError {
  return usageError(
    `${file} is not a target: its default export was not made by defineTarget`,
    "write `export default defineTarget({ ... })`, with defineTarget from 'ublkts/target'",
  );
}

function isTypeScript(file: string): boolean {
  return /\.[cm]?ts$/.test(file);
}
