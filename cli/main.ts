import { keepCompiledCode } from './compile-cache.ts';

// Before anything else is imported, of which nothing is that the command does not need.
keepCompiledCode(process.env);

/** How this program is started. */
const program = [process.execPath, ...process.execArgv, process.argv[1] ?? ''] as const;

switch (process.argv[2]) {
  // What other processes of Millrace start, and people do not.
  case 'recorder': {
    const { runRecorder } = await import('./recorder.ts');
    await runRecorder(program);
    break;
  }
  case 'recorder-receiver': {
    const { runReceiverPart } = await import('./recorder-receiver.ts');
    await runReceiverPart();
    break;
  }
  case 'recorder-muxer': {
    const { runMuxerPart } = await import('./recorder-muxer.ts');
    await runMuxerPart();
    break;
  }
  default: {
    const { runCommandLine } = await import('./command-line.ts');
    await runCommandLine(program);
  }
}
