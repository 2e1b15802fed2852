// Which files hold tests. Unit tests stand beside the code; test/ holds the suites of the whole system.
const ROOMS = ['adapters', 'cli', 'client', 'core', 'docs', 'media-server', 'setup', 'signaling', 'web'];

/** Quick, no root, no browser. */
export const UNIT_TESTS = [`{${ROOMS.join(',')}}/**/*.test.ts`];

/** Browsers, network namespaces, processes. */
export const SYSTEM_TESTS = ['test/**/*.test.ts'];
