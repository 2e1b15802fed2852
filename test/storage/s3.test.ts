import { after } from 'node:test';
import { createS3Store } from '../../adapters/storage/s3/s3.ts';
import { describeObjectStore } from '../../core/storage/conformance.ts';
import { BUCKET, startVersitygw } from '../harness/versitygw.ts';

const gateway = await startVersitygw();
after(() => gateway.stop());

let trials = 0;

describeObjectStore('A store in S3:', async () => {
  const prefix = `trial ${trials++}/ü`;
  const location = { bucket: BUCKET, prefix, endpoint: gateway.endpoint, pathStyle: true };
  return { store: createS3Store(location), peer: createS3Store(location), stop: async () => {} };
});
