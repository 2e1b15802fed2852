// Evaluated in a page: measures how long it takes to see a stream, from the decision to play to the first
// decoded frame. It speaks what both servers under test understand.
globalThis.joinPage = (() => {
  let release = () => {};

  async function openSocket(url) {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onclose = ({ code }) => reject(new Error(`${url} closed with ${code}`));
    });
    return socket;
  }

  async function ask(socket, method, stream, data) {
    const answered = new Promise((resolve) => {
      socket.onmessage = ({ data: text }) => resolve(JSON.parse(text));
    });
    socket.send(JSON.stringify({ version: '1.0', method, stream, session: '', data }));
    const reply = await answered;
    if (reply.err !== 0) throw new Error(`${method}: ${reply.err} ${reply.err_msg}`);
    return reply;
  }

  /** A moving picture and a tone, for as long as the page lives. */
  async function publish(url, stream) {
    const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
    const context = canvas.getContext('2d');
    let frame = 0;
    const draw = () => {
      context.fillStyle = `hsl(${frame % 360} 60% 40%)`;
      context.fillRect(0, 0, 640, 360);
      context.fillStyle = 'white';
      context.fillRect((frame++ * 6) % 640, 100, 60, 60);
    };
    draw();
    // A worker's timer is not slowed in a page that nobody looks at.
    const clock = new Worker(
      URL.createObjectURL(new Blob([`setInterval(() => postMessage(0), ${1000 / 30})`])),
    );
    clock.onmessage = draw;
    const audio = new AudioContext();
    const tone = new OscillatorNode(audio);
    const sound = audio.createMediaStreamDestination();
    tone.connect(sound);
    tone.start();
    const pc = new RTCPeerConnection();
    pc.addTransceiver(sound.stream.getAudioTracks()[0], { direction: 'sendonly' });
    pc.addTransceiver(canvas.captureStream(30).getVideoTracks()[0], { direction: 'sendonly' });
    await pc.setLocalDescription();
    const socket = await openSocket(url);
    const reply = await ask(socket, 'stream.publish', stream, { sdp: pc.localDescription.sdp });
    await pc.setRemoteDescription({ type: 'answer', sdp: reply.data.sdp });
    globalThis.published = { ...globalThis.published, [url]: { pc, socket, clock } };
  }

  /** Resolves with the time at which the track's first frame is decoded; nothing has to be shown for that. */
  async function firstFrame(track) {
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    const { value } = await reader.read();
    const at = performance.now();
    value.close();
    void reader.cancel();
    return at;
  }

  /** As a client does that speaks the document's protocol. Times in ms since the decision. */
  async function join(url, stream) {
    const decided = performance.now();
    const opening = openSocket(url).then((socket) => ({ socket, at: performance.now() }));
    const pc = new RTCPeerConnection();
    pc.addTransceiver('audio', { direction: 'recvonly' });
    pc.addTransceiver('video', { direction: 'recvonly' });
    const decoded = new Promise((resolve) => {
      pc.ontrack = ({ track }) => {
        if (track.kind === 'video') resolve(firstFrame(track));
      };
    });
    const connected = new Promise((resolve) => {
      pc.onconnectionstatechange = () => {
        if (pc.connectionState === 'connected') resolve(performance.now());
      };
    });
    await pc.setLocalDescription();
    const { socket, at: opened } = await opening;
    const reply = await ask(socket, 'stream.play', stream, { sdp: pc.localDescription.sdp });
    const answered = performance.now();
    await pc.setRemoteDescription({ type: 'answer', sdp: reply.data.sdp });
    const times = { opened, answered, connected: await connected, decoded: await decoded };
    release = () => {
      pc.close();
      socket.onclose = null;
      socket.close();
    };
    return Object.fromEntries(Object.entries(times).map(([name, at]) => [name, at - decided]));
  }

  /** The same with @millrace/client, of which only the end can be seen. */
  async function joinWithClient(url, stream) {
    const decided = performance.now();
    const client = new millraceClient.MillraceClient({ url });
    const playback = await client.play(stream);
    const [track] = playback.mediaStream.getVideoTracks();
    const decoded = await firstFrame(track);
    release = () => void client.close();
    return { decoded: decoded - decided };
  }

  return { publish, join, joinWithClient, release: () => release() };
})();
