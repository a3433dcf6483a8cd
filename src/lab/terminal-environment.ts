import { hasUtf8 } from '../text/charset.ts';

/** The variables that tell programs in the guest what the user's terminal can show, made from the user's own. */
export function terminalEnvironment(
  own: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  const { TERM = 'xterm-256color', COLORTERM, NO_COLOR } = own;
  return {
    TERM,
    // The guest has no other locales than these two.
    LANG: hasUtf8(own) ? 'C.UTF-8' : 'C',
    ...(COLORTERM && { COLORTERM }),
    ...(NO_COLOR && { NO_COLOR }),
  };
}
