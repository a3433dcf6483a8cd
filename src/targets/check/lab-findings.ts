/** What the script of device-script.ts prints in the guest, as findings. */
import type { Finding } from './check.ts';

export class LabFindings {
  private readonly done: Finding[] = [];
  private rest = '';
  private errors = '';
  private running = '';
  private readonly onProgress: (message: string) => void;

  constructor(onProgress: (message: string) => void) {
    this.onProgress = onProgress;
  }

  readonly stdout = (chunk: Buffer): void => {
    const lines = `${this.rest}${chunk.toString()}`.split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) this.line(line.split('\t'));
  };

  readonly stderr = (chunk: Buffer): void => {
    this.errors = `${this.errors}${chunk.toString()}`.slice(-500);
  };

  findings(exitCode: number): Finding[] {
    if (exitCode === 0 || this.done.some(({ status }) => status === 'fail')) return this.done;
    const detail = `the check ended in the lab with exit code ${exitCode}: ${this.errors.trim()}`;
    return [...this.done, { name: this.running, status: 'fail', detail, hint: null }];
  }

  private line([word, name = '', status = '', detail = '']: readonly string[]): void {
    if (word === 'step') {
      this.running = name;
      this.onProgress(`checking in the lab: ${name}`);
    } else if (word === 'done' && (status === 'ok' || status === 'warn' || status === 'fail')) {
      this.done.push({ name, status, detail: detail.trim(), hint: null });
    }
  }
}
