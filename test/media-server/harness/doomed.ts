// Starts a media server, prints the ids of its workers, and waits to be killed.
import { startRig } from './rig.ts';

const rig = await startRig({ workers: 2 });
console.log(JSON.stringify(rig.workers.map(({ pid }) => pid)));
setInterval(() => {}, 1000);
