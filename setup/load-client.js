// The load client of bench/, a Go program.
import { join } from 'node:path';
import { provideGoProgram } from './go-program.js';
import { ROOT } from './node24.js';

/** @returns {Promise<string>} the path of the program; built now if need be */
export function provideLoadClient() {
  return provideGoProgram({
    name: 'load',
    sources: join(ROOT, 'bench', 'load'),
    target: '.',
    what: 'the load client of the measurements',
    needsGo: '1.24',
    expected: 'about 1 min',
  });
}
