/**
 * SDP on mediasoup, pure: an offer becomes a description of what mediasoup must do, and what mediasoup did
 * becomes the answer (RFC 9429 JSEP, RFC 8843 BUNDLE, RFC 8853 simulcast, RFC 8851 rid).
 *
 *   parseOffer(text) -> Offer
 *   planPublish(offer, options) -> PublishPlan    answerPublish(offer, plan, transport, options) -> text
 *   planPlay(offer, producers) -> PlayPlan        answerPlay(offer, plan, transport, played, options) -> text
 */
export { parseOffer } from './offer.ts';
export { answerPlay } from './play-answer.ts';
export { planPlay } from './play-plan.ts';
export { answerPublish } from './publish-answer.ts';
export { planPublish } from './publish-plan.ts';
export type * from './types.ts';
