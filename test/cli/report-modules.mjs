// Preloaded by startup.test.ts: writes the URL of every module that the program loads to the file $MODULE_REPORT.
import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const loaded = new Set();
registerHooks({
  load(url, context, next) {
    if (url.startsWith('file:')) loaded.add(url);
    return next(url, context);
  },
});
process.on('exit', () => writeFileSync(process.env.MODULE_REPORT, [...loaded].join('\n')));
