import type { Check } from '../../device/doctor/check.ts';
import type { Views } from './views.ts';
import { escapeControls } from '../../text/escape.ts';
import { styles } from './styles.ts';

const MARKS: Readonly<Record<Check['status'], string>> = {
  ok: styles.good('ok  '),
  warn: styles.warning('warn'),
  fail: styles.bad('fail'),
};

export function checksViews(checks: readonly Check[]): Views {
  return {
    json: { healthy: checks.every(({ status }) => status !== 'fail'), checks },
    kublk: () => checks.map(lines).join(''),
  };
}

function lines({ name, status, detail, hint }: Check): string {
  const first = `${MARKS[status]} ${name.padEnd(9)} ${escapeControls(detail)}\n`;
  return hint === null ? first : `${first}     ${styles.dim('hint:')} ${escapeControls(hint)}\n`;
}
