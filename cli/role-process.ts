import type { Logger } from 'pino';
import { collectDefaultMetrics, Gauge, Registry as MetricsRegistry } from 'prom-client';
import { governLifetime, type Lifetime } from './lifetime.ts';
import { createLog, type LogFormat, logFormat } from './log.ts';
import type { ReadSettings } from './read-settings.ts';
import { settingNames } from './setting.ts';
import type { Settings } from './settings.ts';

/** What surrounds a role: it is the same for every command that runs until a signal ends it. */
export interface RoleProcess {
  readonly settings: Settings;
  readonly version: string;
  readonly log: Logger;
  readonly format: LogFormat;
  readonly metrics: MetricsRegistry;
  readonly lifetime: Lifetime;
  /** What is to be done at the end; what was added last is done first. */
  onEnd(close: () => Promise<void> | void): void;
}

export function beginRole({ settings, passedOver }: ReadSettings, version: string): RoleProcess {
  const format = logFormat(settings, process.stdout.isTTY === true);
  const log = createLog(settings.logLevel, format);
  const closers: (() => Promise<void> | void)[] = [];
  const lifetime = governLifetime(log, async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });
  if (passedOver.length > 0) {
    log.info(
      { settings: passedOver.map((key) => settingNames(key).env) },
      'these settings are for other roles, and do nothing here',
    );
  }
  const metrics = new MetricsRegistry();
  collectDefaultMetrics({ register: metrics });
  const help = 'Always 1; its label says which version runs';
  new Gauge({ name: 'millrace_build_info', help, labelNames: ['version'], registers: [metrics] }).set(
    { version },
    1,
  );
  return { settings, version, log, format, metrics, lifetime, onEnd: (close) => closers.push(close) };
}
