import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openApiDocument } from '../core/api/openapi.ts';
import { asyncApiDocument } from '../core/protocol/asyncapi.ts';
import { protocolJsonSchema } from '../core/protocol/json-schema.ts';

/** The machine-readable documents by file name; `npm run generate` writes them, a test finds stale ones. */
export function generatedDocuments(): Readonly<Record<string, string>> {
  return {
    'protocol.schema.json': text(protocolJsonSchema()),
    'asyncapi.json': text(asyncApiDocument()),
    'openapi.json': text(openApiDocument()),
  };
}

function text(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, content] of Object.entries(generatedDocuments())) {
    writeFileSync(new URL(name, import.meta.url), content);
  }
}
