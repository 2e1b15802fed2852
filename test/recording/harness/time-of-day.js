// Imported ahead of a program: its time of day is off by the milliseconds that a file says, looked at every 50 ms.
// performance.now() and timers go on as they do when an administrator, or NTP, sets a machine's clock.
import { readFileSync } from 'node:fs';

const file = process.env.TEST_TIME_OF_DAY;
const RealDate = Date;
const realNow = Date.now;
let offsetMs = 0;

function look() {
  try {
    offsetMs = Number(readFileSync(file, 'utf8'));
  } catch {
    // It is being written.
  }
}

if (file) {
  look();
  setInterval(look, 50).unref();
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [realNow() + offsetMs] : args, newTarget),
    apply: () => new RealDate(realNow() + offsetMs).toString(),
    get: (target, name) => (name === 'now' ? () => realNow() + offsetMs : Reflect.get(target, name)),
  });
}
