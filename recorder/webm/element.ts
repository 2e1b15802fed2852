/** Ids of the elements of Matroska that are written here (RFC 8794 section 11.2, RFC 9559 section 5.1). */
export const EBML = 0x1a45dfa3;
export const EBML_VERSION = 0x4286;
export const EBML_READ_VERSION = 0x42f7;
export const EBML_MAX_ID_LENGTH = 0x42f2;
export const EBML_MAX_SIZE_LENGTH = 0x42f3;
export const DOC_TYPE = 0x4282;
export const DOC_TYPE_VERSION = 0x4287;
export const DOC_TYPE_READ_VERSION = 0x4285;

export const SEGMENT = 0x18538067;
export const SEEK_HEAD = 0x114d9b74;
export const SEEK = 0x4dbb;
export const SEEK_ID = 0x53ab;
export const SEEK_POSITION = 0x53ac;

export const INFO = 0x1549a966;
export const TIMESTAMP_SCALE = 0x2ad7b1;
export const DURATION = 0x4489;
export const DATE_UTC = 0x4461;
export const MUXING_APP = 0x4d80;
export const WRITING_APP = 0x5741;

export const TRACKS = 0x1654ae6b;
export const TRACK_ENTRY = 0xae;
export const TRACK_NUMBER = 0xd7;
export const TRACK_UID = 0x73c5;
export const TRACK_TYPE = 0x83;
export const FLAG_LACING = 0x9c;
export const LANGUAGE = 0x22b59c;
export const CODEC_ID = 0x86;
export const CODEC_PRIVATE = 0x63a2;
export const CODEC_DELAY = 0x56aa;
export const SEEK_PRE_ROLL = 0x56bb;
export const VIDEO = 0xe0;
export const PIXEL_WIDTH = 0xb0;
export const PIXEL_HEIGHT = 0xba;
export const AUDIO = 0xe1;
export const SAMPLING_FREQUENCY = 0xb5;
export const CHANNELS = 0x9f;

export const CLUSTER = 0x1f43b675;
export const TIMESTAMP = 0xe7;
export const SIMPLE_BLOCK = 0xa3;

export const CUES = 0x1c53bb6b;
export const CUE_POINT = 0xbb;
export const CUE_TIME = 0xb3;
export const CUE_TRACK_POSITIONS = 0xb7;
export const CUE_TRACK = 0xf7;
export const CUE_CLUSTER_POSITION = 0xf1;
