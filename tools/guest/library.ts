/** The package as it was built, with the types of its source: a server is started from there. */
type Library = typeof import('../../src/index.ts');

export const library = (await import(new URL('../../dist/index.js', import.meta.url).href)) as Library;
