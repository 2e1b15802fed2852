export { type WebhookEvent, type WebhookNews, type WebhookSink, webhookEvent } from './event.ts';
export { signature } from './signature.ts';
