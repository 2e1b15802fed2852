import { join } from 'node:path';
import { withDefault } from './setting.ts';
import { stateFolder } from './state-folder.ts';
import { bytes, choice, duration, folder, integer } from './value.ts';

/** What a recording may take, and what it leaves; where it is kept is a setting of its own. */
export const RECORDING_SETTINGS = {
  maxRecordings: withDefault(
    integer({ min: 1, max: 10_000 }),
    '32',
    'Recordings at once. Each takes about 100 MB of memory, and what writing its bitrate costs',
  ),
  maxRecordingDuration: withDefault(
    duration({ min: '1s', max: '720h' }),
    '24h',
    'A recording ends well when it is that long',
  ),
  maxRecordingSize: withDefault(
    bytes({ min: '16MiB', max: '43GiB' }),
    '40GiB',
    'A file that has this size is completed, and the recording goes on in the next one: name-2.webm',
  ),
  recordingFlush: withDefault(
    duration({ min: '100ms', max: '2s' }),
    '1s',
    'How old what is not in storage yet may get before it is written there. Half of it doubles the requests to storage, which are about one for each interval and recording',
  ),
  recordingSpool: withDefault(
    folder,
    join(stateFolder(process.env), 'spool'),
    'Folder on this machine where recordings wait while storage is away; several servers may share it',
    'millrace/spool in $XDG_STATE_HOME or ~/.local/state',
  ),
  maxSpoolSize: withDefault(
    bytes({ min: '1MiB', max: '1024GiB' }),
    '1GiB',
    'What one recording may keep there; beyond it new media is lost, as a gap in the file',
  ),
  recordingSidecar: withDefault(
    choice('on', 'off'),
    'off',
    'on writes name.webm.json beside each finished file: what the recording is, its length and its gaps',
  ),
} as const;
