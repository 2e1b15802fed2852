// versitygw, a real S3 server in front of a folder, for tests.
import { join } from 'node:path';
import { goProgramPath, provideGoProgram } from './go-program.js';
import { ROOT } from './node24.js';

const VERSITYGW = {
  name: 'versitygw',
  sources: join(ROOT, 'setup', 'versitygw'),
  target: 'github.com/versity/versitygw/cmd/versitygw',
  what: 'the S3 server of the tests',
  needsGo: '1.25',
  expected: 'about 3 min',
};

/** @returns {Promise<string>} the path of the program; built now if need be */
export function provideVersitygw() {
  return provideGoProgram(VERSITYGW);
}

/** Where it is once it was built. */
export function versitygwPath() {
  return goProgramPath(VERSITYGW);
}
