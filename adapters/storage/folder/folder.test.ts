import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeObjectStore } from '../../../core/storage/conformance.ts';
import { openFolder } from './folder.ts';

describeObjectStore('A store in a folder:', async () => {
  const root = mkdtempSync(join(tmpdir(), 'millrace-folder-'));
  return {
    store: openFolder(root),
    peer: openFolder(root),
    stop: async () => rmSync(root, { recursive: true, force: true }),
  };
});
