import { UblkError } from '../errors.ts';

/** Makes the error that says why the lab could not do what was asked, and what to do about it. */
export function labError(message: string, options: { hint?: string; cause?: unknown; code?: string } = {}): UblkError {
  const { hint, cause, code = 'LAB' } = options;
  return new UblkError(message, { code, kind: 'failed', cause, ...(hint === undefined ? {} : { hint }) });
}

/** Makes the error for a program that the lab needs and this machine does not have. */
export function missingTool(tool: string, debianPackage: string): UblkError {
  const message = `the lab needs ${tool}, which is not installed`;
  return new UblkError(message, { code: 'ENOENT', kind: 'unsupported', hint: `apt-get install ${debianPackage}` });
}
