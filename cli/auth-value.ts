import { MIN_SECRET_BYTES } from '../adapters/auth/verification-key.ts';
import { isLoopback } from './loopback.ts';
import type { ValueType } from './value.ts';

/** What is wrong is said without the value. */
export const secret: ValueType<string> = {
  syntax: 'SECRET',
  parse(text) {
    if (/-----BEGIN|^\s*\{/.test(text)) {
      return {
        wrong: 'a key as PEM or JSON, not a secret; put it into a file and name that: MILLRACE_AUTH_KEY_FILE',
      };
    }
    const bytes = Buffer.byteLength(text);
    return bytes >= MIN_SECRET_BYTES
      ? { value: text }
      : {
          wrong: `${bytes} bytes long; at least ${MIN_SECRET_BYTES} random ones are needed: openssl rand -base64 32`,
        };
  },
};

/** https, or http where nobody else can answer. */
function trustedUrl(example: string, plain: string): ValueType<string> {
  return {
    syntax: 'URL',
    parse(text) {
      const wrong = { wrong: `not an address; write it like ${example}` };
      if (!URL.canParse(text)) return wrong;
      const { protocol, hostname, username, password, href } = new URL(text);
      if (username !== '' || password !== '') return { wrong: 'an address holds no password here' };
      if (protocol === 'https:') return { value: href };
      if (protocol !== 'http:') return wrong;
      return isLoopback(hostname.replace(/^\[|\]$/g, '')) ? { value: href } : { wrong: plain };
    },
  };
}

export const keysUrl = trustedUrl(
  'https://login.example.org/keys',
  'whoever answers there decides who may come in: https is needed, but on this machine',
);

export const hookUrl = trustedUrl(
  'https://app.example.org/millrace',
  'what is sent there is for nobody else: https is needed, but on this machine',
);

export const words: ValueType<string> = {
  syntax: 'TEXT',
  parse: (text) =>
    text.length <= 1024 && !/\p{Cc}/u.test(text)
      ? { value: text }
      : { wrong: 'more than 1024 characters, or control characters' },
};
