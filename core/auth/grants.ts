import { z } from 'zod';
import { MillraceError } from '../protocol/error.ts';
import type { StreamName } from '../protocol/stream-name.ts';
import type { Permission } from './authoriser.ts';
import { StreamGlob } from './stream-glob.ts';

/** Patterns in one list. */
const MAX_GLOBS = 100;

const globs = z.array(z.string()).max(MAX_GLOBS);

/** The claim `millrace` of a token. */
const GrantsSchema = z.strictObject({
  publish: globs.optional(),
  play: globs.optional(),
  record: globs.optional(),
  admin: z.union([z.literal(true), globs]).optional(),
});
export type GrantsClaim = z.infer<typeof GrantsSchema>;

/** What a token allows, and on which streams. */
export class Grants {
  readonly #globs: ReadonlyMap<Permission, readonly StreamGlob[]>;
  readonly #adminOfAll: boolean;

  /**
   * @param claim the value of the claim `millrace`; undefined, as in a token without it, allows nothing
   * @throws MillraceError `token_invalid`: an unknown member too, which could be a limit that nobody keeps
   */
  constructor(claim: unknown) {
    const parsed = GrantsSchema.safeParse(claim ?? {});
    if (!parsed.success) throw refusal(parsed.error);
    const { admin, ...lists } = parsed.data;
    this.#adminOfAll = admin === true;
    const all = { ...lists, ...(Array.isArray(admin) && { admin }) };
    this.#globs = new Map(
      // The schema's keys are the permissions; Object.entries widens them to string.
      (Object.entries(all) as [Permission, string[]][]).map(([permission, patterns]) => [
        permission,
        patterns.map((pattern, index) => parseGlob(permission, pattern, index)),
      ]),
    );
  }

  /** @param stream absent = the whole server, which only `admin: true` covers */
  allow(permission: Permission, stream?: StreamName): boolean {
    if (permission === 'admin' && this.#adminOfAll) return true;
    if (stream === undefined) return false;
    return this.#globs.get(permission)?.some((glob) => glob.matches(stream)) ?? false;
  }
}

function parseGlob(permission: Permission, pattern: string, index: number): StreamGlob {
  try {
    return new StreamGlob(pattern);
  } catch (cause) {
    const why = cause instanceof SyntaxError ? cause.message : 'it cannot be read';
    throw invalid(`"millrace.${permission}.${index}" is no pattern of stream names: ${why}`, cause);
  }
}

function refusal(error: z.ZodError): MillraceError {
  const issue = error.issues[0];
  if (issue?.code === 'unrecognized_keys') {
    const name = JSON.stringify(issue.keys[0]?.slice(0, 40));
    return invalid(
      `"millrace" has the member ${name}, which this server does not know; publish, play, record and admin are known`,
    );
  }
  const path = ['millrace', ...(issue?.path ?? [])].join('.');
  const admin = issue?.path[0] === 'admin' ? ', or true for the whole server' : '';
  return invalid(
    issue?.path.length === 0
      ? '"millrace" is not an object such as {"play": ["*"]}'
      : `"${path}" is not a list of at most ${MAX_GLOBS} patterns of stream names${admin}`,
  );
}

function invalid(what: string, cause?: unknown): MillraceError {
  const text = `the token's claim ${what}; ask whoever made the token for another`;
  return new MillraceError('token_invalid', text, { cause });
}
