export type { Authoriser, Identity, Permission } from './authoriser.ts';
export type { GrantsClaim } from './grants.ts';
export { openAuthoriser } from './open.ts';
export { type Revocations, readRevocations } from './revocations.ts';
export { type ClaimRules, identityOf } from './token-claims.ts';
