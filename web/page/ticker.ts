// A worker of its own, because browsers slow the timers of a page that is not looked at, and a test pattern
// must not stop when its tab is in the background.
const FRAME_MS = 1000 / 30;
setInterval(() => postMessage(null), FRAME_MS);
