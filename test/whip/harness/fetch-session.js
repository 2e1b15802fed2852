// Evaluated in a page: WHIP and WHEP by `fetch`, in the form in which document-client.js uses a session. With it
// the same publish and play go over HTTP.
globalThis.fetchSession = (serverUrl) => {
  const headers = {};
  const session = {
    headers,
    location: null,
    entityTag: null,
    async request(method, stream, { sdp }) {
      const protocol = method === 'stream.publish' ? 'whip' : 'whep';
      const response = await fetch(`${serverUrl}/${protocol}/${encodeURIComponent(stream)}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/sdp', ...headers },
        body: sdp,
      });
      if (response.status !== 201) {
        const { code, detail } = await response.json();
        return { err: code ?? response.status, err_msg: detail };
      }
      session.location = new URL(response.headers.get('location'), response.url).href;
      session.entityTag = response.headers.get('etag');
      return { err: 0, err_msg: '', data: { sdp: await response.text() } };
    },
    /** The peer connection's ICE again, by PATCH (RFC 9725 section 4.3.3). */
    async restart(peer) {
      peer.restartIce();
      await peer.setLocalDescription();
      const [ufrag, pwd] = credentials(peer.localDescription.sdp);
      const response = await fetch(session.location, {
        method: 'PATCH',
        headers: {
          'Content-Type': 'application/trickle-ice-sdpfrag',
          'If-Match': '*',
          ...headers,
        },
        body: `a=ice-options:trickle\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=ice-ufrag:${ufrag}\r\na=ice-pwd:${pwd}\r\n`,
      });
      const fragment = await response.text();
      if (response.status !== 200) throw new Error(`${response.status} ${fragment}`);
      session.entityTag = response.headers.get('etag');
      const [newUfrag, newPwd] = credentials(fragment);
      const sdp = peer.remoteDescription.sdp
        .replace(/a=ice-ufrag:.*/g, `a=ice-ufrag:${newUfrag}`)
        .replace(/a=ice-pwd:.*/g, `a=ice-pwd:${newPwd}`);
      await peer.setRemoteDescription({ type: 'answer', sdp });
      return session.entityTag;
    },
    /** @returns the HTTP status */
    async end() {
      return (await fetch(session.location, { method: 'DELETE', headers })).status;
    },
  };
  return session;
};

function credentials(sdp) {
  return [/^a=ice-ufrag:(.*?)\r?$/m, /^a=ice-pwd:(.*?)\r?$/m].map((pattern) => pattern.exec(sdp)[1]);
}
