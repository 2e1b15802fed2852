import { hookUrl, secret } from './auth-value.ts';
import { optional, secretly } from './setting.ts';

export const WEBHOOK_SETTINGS = {
  webhookUrl: optional(
    hookUrl,
    'none',
    'Web address that is told by POST when streams and recordings begin and end (docs/webhooks.md)',
  ),
  webhookSecret: secretly(
    optional(
      secret,
      'none',
      'Secret of 32 bytes or more that these messages are signed with; needed with MILLRACE_WEBHOOK_URL',
    ),
  ),
} as const;
