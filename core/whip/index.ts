/** WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep-03), pure: paths, headers and SDP fragments. */
export { ifMatch } from './entity-tag.ts';
export { iceServerLinks } from './link.ts';
export { accepts, isMediaType } from './media-type.ts';
export {
  credentialsOf,
  fragmentOf,
  type IceCredentials,
  originId,
  parseFragment,
  SDP_FRAGMENT_MEDIA_TYPE,
  withCredentials,
} from './sdp-fragment.ts';
export { isWhipPath, noSuchSession, parseWhipPath, type WhipTarget, whipPath } from './target.ts';
