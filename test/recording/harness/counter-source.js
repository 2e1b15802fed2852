// Evaluated in a page: a picture and a sound that tell the time they were made at, so that whatever became of
// them can be measured. counter.ts has the same numbers for the reader.
globalThis.counterSource = (() => {
  const COLUMNS = 6;
  const ROWS = 4;
  const CODE_HEIGHT = 5 / 6;
  const TONES = 16;
  /** A canvas' picture reaches WebRTC's clock, and a recorder's, about this much later than it was drawn. */
  const CANVAS_LAG_MS = 10;

  /** 16 bits of counter, then 8 of checksum, most significant first: white = 1. */
  function code(counter) {
    const value = counter & 0xffff;
    return (value << 8) | (((value >> 8) * 31 + (value & 0xff) * 7 + 0x5a) & 0xff);
  }

  function paint(context, counter, { width, height, noise }) {
    const bits = code(counter);
    const [cellWidth, cellHeight] = [width / COLUMNS, (height * CODE_HEIGHT) / ROWS];
    for (let cell = 0; cell < COLUMNS * ROWS; cell += 1) {
      context.fillStyle = (bits >> (COLUMNS * ROWS - 1 - cell)) & 1 ? '#fff' : '#000';
      const [x, y] = [(cell % COLUMNS) * cellWidth, Math.floor(cell / COLUMNS) * cellHeight];
      context.fillRect(Math.floor(x), Math.floor(y), Math.ceil(cellWidth), Math.ceil(cellHeight));
    }
    const top = Math.ceil(height * CODE_HEIGHT);
    context.fillStyle = '#777';
    context.fillRect(0, top, width, height - top);
    // Costs the encoder bitrate; the code above stays cheap.
    for (let x = 0; noise && x < width; x += 4) {
      for (let y = top; y < height; y += 4) {
        context.fillStyle = `hsl(${Math.random() * 360} 80% 50%)`;
        context.fillRect(x, y, 4, 4);
      }
    }
  }

  /**
   * The counter counts frames' times, not frames: one that the page was too late for is left out of it. Each second a
   * beep begins with a frame; its pitch counts beeps modulo 16. Between beeps there is a low, quiet hum.
   *
   * Of Chromium sound and picture are within 20 ms of each other by its own sender reports, on a busy machine too.
   * Firefox needs PULSE_LATENCY_MSEC=200, or its sound stutters when the machine is busy; then they are within 70 ms.
   */
  async function start({ width = 320, height = 180, fps = 25, noise = false } = {}) {
    const canvas = document.createElement('canvas');
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext('2d', { alpha: false });
    const audio = new AudioContext({ sampleRate: 48_000 });
    await audio.resume();
    const destination = audio.createMediaStreamDestination();
    destination.channelCount = 1;
    const hum = new OscillatorNode(audio, { frequency: 250 });
    const quiet = new GainNode(audio, { gain: 0.05 });
    hum.connect(quiet).connect(destination);
    hum.start();
    const captured = canvas.captureStream(0);
    const [video] = captured.getVideoTracks();
    // Firefox has it where an older draft had it.
    const grabber = video.requestFrame ? video : captured;
    const stream = new MediaStream([video, ...destination.stream.getAudioTracks()]);
    const source = { stream, canvas, drawn: [], resize, stop };
    const startedAt = performance.now() + 100;
    let counter = -1;
    const leads = [];

    /** The audio clock goes in steps: how far it is ahead of the page's just behind one. */
    function audioLead() {
      leads.push(audio.currentTime - performance.now() / 1000);
      if (leads.length > fps) leads.shift();
      return Math.max(...leads);
    }

    function resize(size) {
      ({ width, height } = size);
      canvas.width = width;
      canvas.height = height;
    }

    function beep(number, dueMs) {
      const at = Math.max(audio.currentTime, (startedAt + dueMs + CANVAS_LAG_MS) / 1000 + audioLead());
      const tone = new OscillatorNode(audio, { frequency: 500 + 100 * (number % TONES) });
      const loud = new GainNode(audio, { gain: 0.5 });
      tone.connect(loud).connect(destination);
      tone.start(at);
      tone.stop(at + 0.1);
    }

    function draw() {
      const elapsed = performance.now() - startedAt;
      const now = Math.floor((elapsed * fps) / 1000 + 1e-6);
      if (now <= counter) return;
      // Beeps are announced a quarter of a second ahead, each by the clock as it is then.
      const ahead = Math.floor(fps / 4);
      for (let next = Math.max(counter, -1) + 1; next <= now; next += 1) {
        if ((next + ahead) % fps !== 0) continue;
        const dueMs = ((next + ahead) * 1000) / fps;
        if (dueMs > elapsed) beep((next + ahead) / fps, dueMs);
      }
      counter = now;
      audioLead();
      paint(context, counter, { width, height, noise });
      grabber.requestFrame();
      source.drawn.push(counter);
    }

    // A worker's timer is not slowed in a tab that nobody looks at.
    const clock = new Worker(
      URL.createObjectURL(
        new Blob([
          `const every = ${1000 / fps}, start = performance.now();
           const next = (n) => { postMessage(0); const k = Math.max(n + 1, Math.ceil((performance.now() - start) / every));
             setTimeout(next, start + k * every - performance.now(), k); };
           onmessage = () => next(0);`,
        ]),
      ),
    );
    clock.onmessage = draw;
    setTimeout(() => clock.postMessage(0), startedAt - performance.now());

    function stop() {
      clock.terminate();
      for (const track of stream.getTracks()) track.stop();
      void audio.close();
    }
    return source;
  }

  return { start };
})();
