import { startTestPattern } from './test-pattern.ts';

export type SourceName = 'pattern' | 'camera' | 'screen';

/** Sound and picture to publish, and the way to give them back. */
export interface Source {
  readonly stream: MediaStream;
  stop(): void;
}

export class InsecureContextError extends Error {}

/** Asks the user where the browser does. @throws DOMException of the browser, InsecureContextError */
export async function openSource(name: SourceName, streamName: string): Promise<Source> {
  if (name === 'pattern') return startTestPattern(streamName);
  // Absent where the page is not secure (W3C Media Capture and Streams, section 10.2).
  if (!navigator.mediaDevices) throw new InsecureContextError(location.origin);
  const stream = await (name === 'camera' ? openCamera() : openScreen());
  return {
    stream,
    stop: () => {
      for (const track of stream.getTracks()) track.stop();
    },
  };
}

async function openCamera(): Promise<MediaStream> {
  const video = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
  const audio = true;
  try {
    return await navigator.mediaDevices.getUserMedia({ video, audio });
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== 'NotFoundError') throw error;
    // A machine with only one of the two can publish that one.
    return navigator.mediaDevices
      .getUserMedia({ video })
      .catch(() => navigator.mediaDevices.getUserMedia({ audio }));
  }
}

async function openScreen(): Promise<MediaStream> {
  const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: 30 }, audio: true });
  // Letters must stay sharp; the browser then gives up frames before it gives up detail.
  for (const track of stream.getVideoTracks()) track.contentHint = 'detail';
  return stream;
}
