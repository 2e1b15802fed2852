import { appendFileSync } from 'node:fs';
import { NO_PROGRESS } from '../../../core/recording/progress.ts';
import type { RecordingKey, RecordingState } from '../../../core/recording/recording.ts';
import type { MuxerNotice, MuxerOrder, ReceiverNotice, ReceiverOrder } from '../../supervisor-message.ts';

/**
 * A receiver or a muxer that does nothing but talk. `FAKE_LOG` names the file that it writes what it hears
 * to; `FAKE_MUXER` may make the muxer reach its `limit`, receive `nothing`, be
 * `slow` to flush, or `hang` as it finishes.
 */
const part = process.argv[2] === 'recorder-receiver' ? 'receiver' : 'muxer';
const { FAKE_LOG: file = '', FAKE_MUXER: way } = process.env;

process.once('disconnect', () => process.exit(0));
process.on('SIGTERM', () => {});
process.on('message', (order: ReceiverOrder | MuxerOrder) => {
  appendFileSync(file, `${JSON.stringify({ part, pid: process.pid, order })}\n`);
  if (part === 'muxer') obey(order as MuxerOrder);
  else if (order.type === 'start') {
    tell({ type: 'ready' });
    setInterval(() => tell({ type: 'alive', receiving: true, silentMs: 20 }), 100);
  }
});

function obey(order: MuxerOrder): void {
  switch (order.type) {
    case 'start':
      if (order.mode === 'finish') finish();
      else begin(order.mode === 'wait' ? 'starting' : 'recording');
      return;
    case 'write':
      begin('recording');
      return;
    case 'flush':
      setTimeout(flushed, way === 'slow' ? 1500 : 0);
      return;
    case 'finish':
      finish();
  }
}

function flushed(): void {
  if (way === 'slow')
    appendFileSync(file, `${JSON.stringify({ part, pid: process.pid, order: { type: 'flushed' } })}\n`);
  tell({ type: 'flushed' });
}

let timer: NodeJS.Timeout | undefined;

function begin(state: RecordingState): void {
  clearInterval(timer);
  const started = state === 'recording' ? { startedAtMs: 1_700_000_000_000 } : {};
  const progress = () => tell({ type: 'progress', progress: { ...NO_PROGRESS, state, ...started } });
  progress();
  timer = setInterval(progress, 100);
  if (way === 'limit') tell({ type: 'limit' });
}

function finish(): void {
  if (way === 'hang') return;
  const file = { key: 'a.webm' as RecordingKey, bytes: 1000, durationMs: 4000 };
  tell({ type: 'finished', files: way === 'nothing' ? [] : [file], gaps: { count: 2, totalMs: 300 } });
}

function tell(notice: MuxerNotice | ReceiverNotice): void {
  process.send?.(notice);
}
