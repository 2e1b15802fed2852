import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type {
  RecorderAttempt,
  RecorderCalls,
  RecorderChannel,
  RecorderNotice,
  RecorderOrders,
  RecorderReport,
} from '../../../core/channel/recorder.ts';
import { MillraceError } from '../../../core/protocol/error.ts';
import { recording } from '../../../core/registry/conformance-trial.ts';
import type { MuxerOrder, ReceiverOrder } from '../../supervisor-message.ts';
import { Supervisor } from '../supervisor.ts';

const DEADLINE_MS = 20_000;

export const RECORD: RecorderOrders = {
  todo: 'record',
  source: { address: 'ws://127.0.0.1:1', epoch: 7 },
  waitForPredecessor: false,
  handOver: false,
};

export interface Heard {
  readonly part: 'receiver' | 'muxer';
  readonly pid: number;
  readonly order: MuxerOrder | ReceiverOrder;
}

/** A supervisor over parts that only talk, and a home that answers as it is told to. */
export function startAttempt(
  t: TestContext,
  { orders = RECORD, muxer = '' }: { readonly orders?: RecorderOrders; readonly muxer?: string } = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-attempt-'));
  const file = join(folder, 'heard');
  writeFileSync(file, '');
  const home = new FakeHome(orders);
  const attempt: RecorderAttempt = { spec: recording('0123456789abcdef'), attempt: 3, home: '', orders };
  // Parts inherit the environment as it is now; tests of one file run one after another.
  Object.assign(process.env, { FAKE_LOG: file, FAKE_MUXER: muxer });
  const supervisor = new Supervisor({
    attempt,
    program: [process.execPath, join(import.meta.dirname, 'fake-part.ts')],
    connect: () => home.connect(),
    log: pino({ level: 'silent' }),
    now: () => performance.now(),
  });
  const heard = (): Heard[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Heard]));
  t.after(async () => {
    home.tell({ ...orders, todo: 'superseded' });
    await supervisor.ended;
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    supervisor,
    home,
    heard,
    /** Orders that a part heard, `start` with its mode. */
    told: (part: Heard['part']) =>
      heard()
        .filter((one) => one.part === part)
        .map(({ order }) => ('mode' in order ? `start ${order.mode}` : order.type)),
    starts: (part: Heard['part']) => heard().filter((one) => one.part === part && one.order.type === 'start'),
  };
}

export async function until(condition: () => boolean): Promise<void> {
  for (const endMs = performance.now() + DEADLINE_MS; performance.now() < endMs; ) {
    if (condition()) return;
    await sleep(10);
  }
  throw new Error(`still not so after ${DEADLINE_MS} ms: ${condition}`);
}

class FakeHome {
  orders: RecorderOrders;
  granted: boolean | undefined = true;
  reachable = true;
  readonly reports: RecorderReport[] = [];
  readonly asked: number[] = [];
  readonly #listeners = new Set<(notice: RecorderNotice) => void>();

  constructor(orders: RecorderOrders) {
    this.orders = orders;
  }

  get last(): RecorderReport | undefined {
    return this.reports.at(-1);
  }

  get state(): string | undefined {
    return this.last?.progress.state;
  }

  /** New orders, at once. */
  tell(orders: RecorderOrders): void {
    this.orders = orders;
    for (const listener of this.#listeners)
      listener({ type: 'orders', recording: recording('0123456789abcdef').id, orders });
  }

  connect(): RecorderChannel {
    const call = async (name: string, request: unknown) => {
      if (!this.reachable) throw new MillraceError('no_media_server', 'closed');
      if (name === 'report') {
        this.reports.push(request as RecorderReport);
        return this.orders;
      }
      this.asked.push((request as RecorderCalls['finish']['request']).epoch);
      if (this.granted === undefined) throw new MillraceError('registry_unavailable', 'away');
      return { granted: this.granted };
    };
    return {
      // Which reply belongs to which name, only the real channel knows.
      call: call as RecorderChannel['call'],
      onNotice: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      onClose: () => {},
      close: () => {},
    };
  }
}
