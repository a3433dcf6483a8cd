/**
 * After the monitor was left: waits for the actions that are still under way, on the ordinary screen. What is waited for
 * is on stderr. Ctrl-C (or SIGTERM) gives up waiting; a closed terminal does not, as every wait has an end.
 */
import { UblkError } from '../errors.ts';
import { escapeControls } from '../text/escape.ts';
import type { Actions } from './actions.ts';

export async function finishActions(actions: Actions): Promise<void> {
  if (actions.progress === null) return;
  // Writing to a terminal that was closed fails, and that must not end the action.
  process.stderr.on('error', ignore);
  process.on('SIGHUP', ignore);
  const gaveUp = Promise.withResolvers<void>();
  const giveUp = (signal: NodeJS.Signals) => {
    actions.giveUp(new UblkError(`interrupted by ${signal}`, { code: 'INTERRUPTED', cause: { signal } }));
    gaveUp.resolve();
  };
  process.on('SIGINT', giveUp);
  process.on('SIGTERM', giveUp);
  say(`${actions.progress.text} (Ctrl-C gives up waiting)`);
  const unsubscribe = actions.subscribe(() => {
    if (actions.progress !== null) say(actions.progress.text);
  });
  actions.onDone(({ text }) => say(text));
  try {
    await Promise.race([actions.finished(), gaveUp.promise]);
  } finally {
    unsubscribe();
    process.off('SIGINT', giveUp);
    process.off('SIGTERM', giveUp);
    process.off('SIGHUP', ignore);
    process.stderr.off('error', ignore);
  }
}

function say(text: string): void {
  process.stderr.write(`${escapeControls(text)}\n`);
}

function ignore(): void {
  // Nothing depends on what was written.
}
