import { after } from 'node:test';
import { openS3 } from '../../adapters/storage/s3/s3.ts';
import { describeObjectStore } from '../../core/storage/conformance.ts';
import { BUCKET, startVersitygw } from '../harness/versitygw.ts';

const gateway = await startVersitygw();
after(() => gateway.stop());

let trials = 0;

describeObjectStore('A store in S3:', async () => {
  const prefix = `trial ${trials++}/ü`;
  const location = { bucket: BUCKET, prefix, endpoint: gateway.endpoint, pathStyle: true };
  return { store: openS3(location), peer: openS3(location), stop: async () => {} };
});
