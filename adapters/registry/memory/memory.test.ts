import { describeRegistry } from '../../../core/registry/conformance.ts';
import { describeInterleaving } from '../../../core/registry/conformance-interleaving.ts';
import { describeRegistryModel } from '../../../core/registry/conformance-model.ts';
import type { RegistryTrial } from '../../../core/registry/conformance-trial.ts';
import { createMemoryRegistry } from './memory.ts';

async function makeRegistry(): Promise<RegistryTrial> {
  let nowUs = 1_700_000_000_000_000;
  const registry = createMemoryRegistry({ nowUs: () => nowUs });
  return {
    registry,
    peer: registry,
    advance: (ms) => {
      nowUs += ms * 1000;
    },
    stop: async () => {},
  };
}

describeRegistry('The registry in memory', makeRegistry);
describeRegistryModel('The registry in memory', makeRegistry, 3000);
describeInterleaving('The registry in memory', makeRegistry, 1000);
