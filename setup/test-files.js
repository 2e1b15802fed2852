// Which files hold tests. Unit tests stand beside the code; test/ holds the suites of the whole system.
const ROOMS = ['adapters', 'cli', 'client', 'core', 'docs', 'recorder', 'signaling', 'web'];

/** No root, no browser, no worker, no compiler: seconds. */
export const QUICK_TESTS = [
  `{${ROOMS.join(',')}}/**/*.test.ts`,
  'media-server/*.test.ts',
  // The worker's own tests need it built, and a compiler.
  'media-server/!(worker)/**/*.test.ts',
  'test/house.test.ts',
];

export const ALL_TESTS = [`{${ROOMS.join(',')},media-server,test}/**/*.test.ts`];
