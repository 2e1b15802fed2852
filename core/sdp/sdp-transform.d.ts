/** The parts of sdp-transform 3 that are used here; the package carries no types of its own. */
declare module 'sdp-transform' {
  /** Numbers where the text reads as one, so `mid`, ids and lists may be either. */
  type Value = string | number;

  export interface ParsedMedia {
    /** Absent, like `port` and `protocol`, where the m-line cannot be read. */
    type?: Value;
    port?: Value;
    protocol?: Value;
    payloads?: Value;
    mid?: Value;
    direction?: string;
    setup?: Value;
    iceUfrag?: Value;
    icePwd?: Value;
    rtcpMux?: string;
    rtcpRsize?: string;
    bundleOnly?: string;
    extmapAllowMixed?: string;
    rtp: { payload?: Value; codec?: Value; rate?: Value; encoding?: Value }[];
    fmtp: { payload?: Value; config?: Value }[];
    rtcpFb?: { payload?: Value; type?: Value; subtype?: Value }[];
    ext?: { value?: Value; direction?: Value; 'encrypt-uri'?: string; uri?: Value }[];
    ssrcs?: { id?: Value; attribute?: Value; value?: Value }[];
    ssrcGroups?: { semantics?: Value; ssrcs?: Value }[];
    rids?: { id?: Value; direction?: Value }[];
    simulcast?: { dir1?: string; list1?: Value; dir2?: string; list2?: Value };
    /** Attributes that no rule of the grammar matches, without `a=`. */
    invalid?: { value?: Value }[];
  }

  export interface ParsedSession {
    icelite?: string;
    direction?: string;
    setup?: Value;
    iceUfrag?: Value;
    icePwd?: Value;
    extmapAllowMixed?: string;
    groups?: { type?: Value; mids?: Value }[];
    media: ParsedMedia[];
  }

  export interface WrittenMedia {
    type: string;
    port: number;
    protocol: string;
    payloads: string;
    connection: { version: 4 | 6; ip: string };
    bandwidth?: { type: 'TIAS' | 'AS'; limit: number }[];
    mid?: string;
    direction: string;
    iceUfrag?: string;
    icePwd?: string;
    iceOptions?: string;
    fingerprint?: { type: string; hash: string };
    setup?: string;
    candidates?: {
      foundation: string;
      component: number;
      transport: string;
      priority: number;
      ip: string;
      port: number;
      type: string;
      tcptype?: string;
    }[];
    endOfCandidates?: 'end-of-candidates';
    rtcpMux?: 'rtcp-mux';
    rtcpRsize?: 'rtcp-rsize';
    extmapAllowMixed?: 'extmap-allow-mixed';
    rtp?: { payload: number; codec: string; rate: number; encoding?: number }[];
    fmtp?: { payload: number; config: string }[];
    rtcpFb?: { payload: number; type: string; subtype?: string }[];
    ext?: { value: number; direction?: string; uri: string }[];
    msid?: { id: string; appdata: string }[];
    ssrcs?: { id: number; attribute: string; value: string }[];
    ssrcGroups?: { semantics: string; ssrcs: string }[];
    rids?: { id: string; direction: string }[];
    simulcast?: { dir1: string; list1: string };
  }

  export interface WrittenSession {
    version: 0;
    origin: {
      username: string;
      sessionId: string;
      sessionVersion: number;
      netType: 'IN';
      ipVer: 4;
      address: string;
    };
    name: string;
    timing: { start: number; stop: number };
    icelite: 'ice-lite';
    groups?: { type: 'BUNDLE'; mids: string }[];
    msidSemantic: { semantic: 'WMS'; token: string };
    media: WrittenMedia[];
  }

  export function parse(text: string): ParsedSession;
  export function write(session: WrittenSession): string;
}
