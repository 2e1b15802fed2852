/** A moving picture and a quiet tone that need no camera: bars, a mill wheel, a clock and a frame counter. */
export interface TestPattern {
  readonly stream: MediaStream;
  stop(): void;
}

const WIDTH = 1280;
const HEIGHT = 720;
const BARS = ['#d7dde0', '#d9c83a', '#35c5c0', '#3fae4a', '#b544b8', '#cf3b3b', '#3a53cf'];
const TONE_HZ = 440;

export function startTestPattern(name: string): TestPattern {
  const canvas = document.createElement('canvas');
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const context = canvas.getContext('2d', { alpha: false });
  if (context === null) throw new Error('this browser has no 2D canvas');
  let frame = 0;
  const tick = (): void => {
    draw(context, frame, name, new Date());
    frame += 1;
  };
  tick();
  const ticker = new Worker('ticker.js');
  ticker.onmessage = tick;
  const stream = canvas.captureStream(30);
  const tone = startTone();
  for (const track of tone.tracks) stream.addTrack(track);
  return {
    stream,
    stop: () => {
      ticker.terminate();
      tone.stop();
      for (const track of stream.getTracks()) track.stop();
    },
  };
}

function startTone(): { tracks: readonly MediaStreamTrack[]; stop: () => void } {
  const audio = new AudioContext();
  const oscillator = audio.createOscillator();
  const loudness = audio.createGain();
  const destination = audio.createMediaStreamDestination();
  oscillator.frequency.value = TONE_HZ;
  loudness.gain.value = 0.1;
  oscillator.connect(loudness).connect(destination);
  oscillator.start();
  // Browsers let a page make sound, even unheard, only after its user did something.
  const wake = (): void => void audio.resume();
  const gestures = ['pointerdown', 'keydown'] as const;
  for (const gesture of gestures) document.addEventListener(gesture, wake);
  return {
    tracks: destination.stream.getTracks(),
    stop: () => {
      for (const gesture of gestures) document.removeEventListener(gesture, wake);
      void audio.close();
    },
  };
}

function draw(context: CanvasRenderingContext2D, frame: number, name: string, now: Date): void {
  const barWidth = WIDTH / BARS.length;
  BARS.forEach((colour, index) => {
    context.fillStyle = colour;
    context.fillRect(Math.floor(index * barWidth), 0, Math.ceil(barWidth), 420);
  });
  // One light band that travels, so that every part of the picture changes and a frozen one is seen at once.
  const sweep = ((frame * 6) % (WIDTH + 200)) - 100;
  context.fillStyle = 'rgba(255, 255, 255, 0.35)';
  context.fillRect(sweep - 50, 0, 100, 420);
  context.fillStyle = '#0b1f24';
  context.fillRect(0, 420, WIDTH, 300);
  drawWater(context, frame);
  drawWheel(context, frame);
  drawWords(context, frame, name, now);
}

function drawWater(context: CanvasRenderingContext2D, frame: number): void {
  context.fillStyle = '#12646a';
  context.beginPath();
  context.moveTo(0, HEIGHT);
  for (let x = 0; x <= WIDTH; x += 20) {
    context.lineTo(x, 668 + Math.sin((x + frame * 5) / 60) * 10);
  }
  context.lineTo(WIDTH, HEIGHT);
  context.fill();
}

function drawWheel(context: CanvasRenderingContext2D, frame: number): void {
  context.save();
  context.translate(1120, 560);
  context.rotate(frame / 40);
  context.strokeStyle = '#5fe3d6';
  context.lineWidth = 7;
  context.beginPath();
  context.arc(0, 0, 66, 0, Math.PI * 2);
  context.stroke();
  for (let spoke = 0; spoke < 8; spoke += 1) {
    context.rotate(Math.PI / 4);
    context.beginPath();
    context.moveTo(0, 0);
    context.lineTo(0, 84);
    context.stroke();
  }
  context.restore();
}

function drawWords(context: CanvasRenderingContext2D, frame: number, name: string, now: Date): void {
  context.fillStyle = '#eafffb';
  context.textBaseline = 'alphabetic';
  context.font = '600 84px ui-monospace, Menlo, Consolas, monospace';
  const clock = `${now.toTimeString().slice(0, 8)}.${String(now.getMilliseconds()).padStart(3, '0')}`;
  context.fillText(clock, 48, 560, 800);
  context.font = '32px ui-monospace, Menlo, Consolas, monospace';
  context.fillStyle = '#9fd8d3';
  context.fillText(`frame ${String(frame).padStart(6, '0')}`, 50, 606);
  context.fillText(name, 50, 474, 800);
}
