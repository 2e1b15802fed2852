export type { Authoriser, Identity, Permission } from './authoriser.ts';
export { openAuthoriser } from './open.ts';
