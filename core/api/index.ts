/** /api/v1, pure: resources, problems, pages and the OpenAPI document. Signaling serves it. */
export { OPENAPI_PATH, openApiDocument } from './openapi.ts';
export { type NodeStreams, parsePage, sessionList, streamList } from './page.ts';
export { PROBLEM_MEDIA_TYPE, problemOf } from './problem.ts';
export {
  noRecording,
  parseRecordingId,
  parseRecordingOrder,
  type RecordingList,
  RecordingListSchema,
  type RecordingResource,
  RecordingSchema,
  recordingFilePath,
  recordingResource,
} from './recording.ts';
export { sessionResource, streamDetail, streamResource } from './resource.ts';
export {
  type PageQuery,
  type PlayResource,
  type Problem,
  ProblemSchema,
  type SessionList,
  SessionListSchema,
  type SessionResource,
  SessionSchema,
  type StreamDetail,
  StreamDetailSchema,
  type StreamList,
  StreamListSchema,
  type StreamResource,
  StreamSchema,
} from './schema.ts';
