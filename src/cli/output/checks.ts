import type { Check } from '../../device/doctor/check.ts';
import type { Views } from './views.ts';
import { escapeControls } from '../../text/escape.ts';
import { padTo } from '../../text/fit.ts';
import { displayWidth } from '../../text/width.ts';
import { styles } from './styles.ts';

const MARKS: Readonly<Record<Check['status'], string>> = {
  ok: styles.good('ok  '),
  warn: styles.warning('warn'),
  fail: styles.bad('fail'),
};

export function checksViews(checks: readonly Check[]): Views {
  return {
    json: { healthy: checks.every(({ status }) => status !== 'fail'), checks },
    kublk: () => checksText(checks),
  };
}

/** The same with a verdict about the target at the end. */
export function targetChecksViews(target: string, checks: readonly Check[]): Views {
  const failed = checks.filter(({ status }) => status === 'fail').map(({ name }) => name);
  const verdict = failed.length === 0 ? styles.good('is good') : styles.bad(`is not good: ${failed.join(', ')}`);
  return {
    json: { healthy: failed.length === 0, checks },
    kublk: () => `${checksText(checks)}${escapeControls(target)} ${verdict}\n`,
  };
}

function checksText(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => displayWidth(name)));
  return checks.map((check) => lines(check, width)).join('');
}

function lines({ name, status, detail, hint }: Check, nameWidth: number): string {
  const first = `${MARKS[status]} ${padTo(name, nameWidth)} ${escapeControls(detail)}\n`;
  return hint === null ? first : `${first}     ${styles.dim('hint:')} ${escapeControls(hint)}\n`;
}
