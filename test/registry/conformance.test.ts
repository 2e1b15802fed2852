import { after } from 'node:test';
import { describeRegistry } from '../../core/registry/conformance.ts';
import { describeRegistryModel } from '../../core/registry/conformance-model.ts';
import { startRedis } from '../harness/redis.ts';
import { makeTrial } from './harness/trial.ts';

const redis = await startRedis();
after(() => redis.stop());

const makeRegistry = () =>
  makeTrial({ kind: 'single', address: redis.address, db: 0 }, (...words) => redis.command(...words));

describeRegistry('The registry on Redis', makeRegistry);
describeRegistryModel('The registry on Redis', makeRegistry, 200);
