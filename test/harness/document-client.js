// Evaluated in a page: a client that speaks only what docs/protocol.md says, with no library. It stands for
// the apps of our users, and shows what they see.
globalThis.documentClient = (() => {
  /** One WebSocket and its session. */
  async function connect(url) {
    const socket = new WebSocket(url);
    const replies = [];
    const session = { id: '', socket, events: [], closed: null };
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.err === undefined) session.events.push(message);
      else {
        session.id = message.session;
        replies.shift()(message);
      }
    };
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onclose = ({ code, reason }) => {
        session.closed = { code, reason };
        reject(new Error(`closed ${code} ${reason}`));
      };
    });
    session.request = (method, stream, data, more = {}) =>
      new Promise((resolve) => {
        replies.push(resolve);
        socket.send(JSON.stringify({ version: '1.0', method, stream, session: session.id, data, ...more }));
      });
    return session;
  }

  /** A picture of one colour (or `noise`) with a moving white bar, and a tone. */
  function pattern({ colour = 'rgb(0,160,0)', width = 320, height = 240, toneHz = 440, fps = 15 } = {}) {
    const canvas = document.createElement('canvas');
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext('2d');
    let frame = 0;
    const draw = () => {
      if (colour === 'noise') {
        // Costs the encoder the whole of its bitrate, as a flat colour never does.
        for (let y = 0; y < height; y += 16) {
          for (let x = 0; x < width; x += 16) {
            context.fillStyle = `hsl(${Math.random() * 360} 80% 50%)`;
            context.fillRect(x, y, 16, 16);
          }
        }
      } else {
        context.fillStyle = colour;
        context.fillRect(0, 0, width, height);
      }
      context.fillStyle = 'white';
      context.fillRect((frame++ * 4) % width, 0, 8, height / 8);
    };
    draw();
    // A worker's timer is not slowed in a tab that nobody looks at.
    const clock = new Worker(
      URL.createObjectURL(new Blob([`setInterval(() => postMessage(0), ${1000 / fps})`])),
    );
    clock.onmessage = draw;
    const audio = new AudioContext();
    const oscillator = new OscillatorNode(audio, { frequency: toneHz });
    const destination = audio.createMediaStreamDestination();
    oscillator.connect(destination);
    oscillator.start();
    const stream = new MediaStream([
      ...canvas.captureStream(fps).getVideoTracks(),
      ...destination.stream.getAudioTracks(),
    ]);
    return {
      stream,
      canvas,
      paint: (next) => {
        colour = next;
      },
    };
  }

  /** Publishes and resolves with the reply, once the browser has accepted the answer. */
  async function publish(session, stream, options = {}) {
    const source = options.source ?? pattern(options);
    const pc = new RTCPeerConnection();
    if (options.audio !== false)
      pc.addTransceiver(source.stream.getAudioTracks()[0], {
        direction: 'sendonly',
        streams: [source.stream],
      });
    if (options.video !== false) {
      const transceiver = pc.addTransceiver(source.stream.getVideoTracks()[0], {
        direction: 'sendonly',
        streams: [source.stream],
        ...(options.scalabilityMode && {
          sendEncodings: [{ scalabilityMode: options.scalabilityMode, maxBitrate: 900_000 }],
        }),
        ...(options.simulcast && {
          sendEncodings: [
            { rid: 'l', scaleResolutionDownBy: 4, maxBitrate: 120_000 },
            { rid: 'h', maxBitrate: 900_000 },
          ],
        }),
      });
      if (options.codec) {
        const offered = (RTCRtpReceiver.getCapabilities ?? RTCRtpSender.getCapabilities).call(
          RTCRtpReceiver,
          'video',
        ).codecs;
        const chosen = offered.filter(
          ({ mimeType }) => mimeType.toLowerCase() === `video/${options.codec.toLowerCase()}`,
        );
        if (chosen.length === 0) return { unsupported: true };
        transceiver.setCodecPreferences([
          ...chosen,
          ...offered.filter(({ mimeType }) => /rtx$/i.test(mimeType)),
        ]);
      }
    }
    await pc.setLocalDescription();
    const reply = await session.request('stream.publish', stream, {
      sdp: pc.localDescription.sdp,
      ...options.data,
    });
    if (reply.err === 0) await pc.setRemoteDescription({ type: 'answer', sdp: reply.data.sdp });
    return { pc, reply, source };
  }

  /** Plays and resolves with the reply, once the browser has accepted the answer. */
  async function play(session, stream, options = {}) {
    const pc = new RTCPeerConnection();
    if (options.audio !== false) pc.addTransceiver('audio', { direction: 'recvonly' });
    if (options.video !== false) pc.addTransceiver('video', { direction: 'recvonly' });
    const video = document.createElement('video');
    video.autoplay = true;
    video.muted = true;
    video.playsInline = true;
    video.srcObject = new MediaStream();
    document.body.append(video);
    const heard = { analyser: null };
    pc.ontrack = ({ track }) => {
      video.srcObject.addTrack(track);
      if (track.kind === 'audio') {
        const audio = new AudioContext();
        heard.analyser = new AnalyserNode(audio, { fftSize: 8192 });
        heard.audio = audio;
        audio.createMediaStreamSource(new MediaStream([track])).connect(heard.analyser);
      }
    };
    await pc.setLocalDescription();
    const reply = await session.request(
      'stream.play',
      stream,
      { sdp: pc.localDescription.sdp, ...options.data },
      options.more,
    );
    if (reply.err === 0) await pc.setRemoteDescription({ type: 'answer', sdp: reply.data.sdp });
    return { pc, reply, video, heard };
  }

  /** Offers again on the same connection, with a new ufrag if ICE is to restart. */
  async function offerAgain(session, method, stream, { pc }, { restartIce = false } = {}) {
    if (restartIce) pc.restartIce();
    await pc.setLocalDescription();
    const reply = await session.request(method, stream, { sdp: pc.localDescription.sdp });
    if (reply.err === 0) await pc.setRemoteDescription({ type: 'answer', sdp: reply.data.sdp });
    return reply;
  }

  /** What a viewer sees and hears now. */
  async function perceive({ pc, video, heard }) {
    const seen = {
      framesDecoded: 0,
      keyFramesDecoded: 0,
      width: 0,
      audioBytes: 0,
      videoBytes: 0,
      lost: 0,
      nacks: 0,
      retransmitted: 0,
    };
    for (const report of (await pc.getStats()).values()) {
      if (report.type !== 'inbound-rtp') continue;
      if (report.kind === 'video') {
        seen.framesDecoded = report.framesDecoded ?? 0;
        seen.keyFramesDecoded = report.keyFramesDecoded ?? 0;
        seen.width = report.frameWidth ?? 0;
        seen.videoBytes = report.bytesReceived ?? 0;
        seen.lost = report.packetsLost ?? 0;
        seen.nacks = report.nackCount ?? 0;
        seen.retransmitted = report.retransmittedPacketsReceived ?? 0;
      } else seen.audioBytes = report.bytesReceived ?? 0;
    }
    if (video.videoWidth > 0) {
      const canvas = document.createElement('canvas');
      canvas.width = video.videoWidth;
      canvas.height = video.videoHeight;
      const context = canvas.getContext('2d');
      context.drawImage(video, 0, 0);
      seen.colour = [...context.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data.slice(0, 3)];
    }
    if (heard.analyser) {
      void heard.audio.resume();
      const bins = new Float32Array(heard.analyser.frequencyBinCount);
      heard.analyser.getFloatFrequencyData(bins);
      const peak = bins.indexOf(Math.max(...bins));
      seen.toneHz = (peak * heard.audio.sampleRate) / heard.analyser.fftSize;
      seen.toneDb = bins[peak];
    }
    seen.connection = pc.connectionState;
    seen.dtls = pc.getReceivers()[0]?.transport?.state;
    return seen;
  }

  return { connect, pattern, publish, play, offerAgain, perceive };
})();
