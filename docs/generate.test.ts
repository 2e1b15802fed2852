import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { generatedDocuments } from './generate.ts';

for (const [name, content] of Object.entries(generatedDocuments())) {
  test(`docs/${name} is what npm run generate writes`, () => {
    const found = readFileSync(new URL(name, import.meta.url), 'utf8');
    assert.ok(found === content, `docs/${name} is stale: run npm run generate and commit the result`);
  });
}
