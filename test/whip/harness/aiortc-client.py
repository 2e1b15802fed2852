"""aiortc-client.py publish|play ENDPOINT [RED,GREEN,BLUE TONE_HZ]"""

import asyncio
import fractions
import math
import sys

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, VideoStreamTrack
from av import AudioFrame, AudioResampler, VideoFrame

import whip


class Picture(VideoStreamTrack):
    """One colour with a moving white bar, 320 x 240."""

    def __init__(self, colour):
        super().__init__()
        self.line = bytes(colour) * 320
        self.count = 0

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        self.count += 1
        frame = VideoFrame(320, 240, "rgb24")
        rows = bytearray(self.line * 240)
        at = (self.count * 4) % 304 * 3
        for row in range(30):
            rows[row * 960 + at : row * 960 + at + 24] = b"\xff" * 24
        frame.planes[0].update(bytes(rows))
        frame.pts, frame.time_base = pts, time_base
        return frame


class Tone(AudioStreamTrack):
    def __init__(self, hertz):
        super().__init__()
        self.hertz = hertz
        self.at = 0

    async def recv(self):
        # The base class keeps the pace, 20 ms of 8 kHz silence at a time.
        await super().recv()
        step = 2 * math.pi * self.hertz / 48000
        samples = [int(12000 * math.sin(step * (self.at + n))) for n in range(960)]
        frame = AudioFrame(format="s16", layout="mono", samples=960)
        frame.planes[0].update(b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples))
        frame.sample_rate, frame.pts = 48000, self.at
        frame.time_base = fractions.Fraction(1, 48000)
        self.at += 960
        return frame


async def watch(track, perception):
    while True:
        frame = await track.recv()
        picture = frame.reformat(format="rgb24")
        plane = picture.planes[0]
        at = picture.height // 2 * plane.line_size + picture.width // 2 * 3
        perception.saw(picture.width, list(bytes(plane)[at : at + 3]))


async def listen(track, perception):
    resampler = AudioResampler(format="s16", layout="mono", rate=48000)
    while True:
        for frame in resampler.resample(await track.recv()):
            perception.heard(memoryview(bytes(frame.planes[0])[: frame.samples * 2]).cast("h"))


async def main():
    role, endpoint = sys.argv[1:3]
    session = whip.Session(endpoint)
    perception = whip.Perception()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    whip.on_end(lambda: loop.call_soon_threadsafe(ended.set))
    # By itself it would ask a STUN server on the Internet.
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    if role == "publish":
        colour = tuple(int(part) for part in sys.argv[3].split(","))
        peer.addTransceiver(Tone(int(sys.argv[4])), direction="sendonly")
        peer.addTransceiver(Picture(colour), direction="sendonly")
    else:
        tasks = set()

        @peer.on("track")
        def on_track(track):
            work = watch if track.kind == "video" else listen
            task = asyncio.ensure_future(work(track, perception))
            tasks.add(task)
            # A track that ends is how its stream ends.
            task.add_done_callback(lambda done: isinstance(done.exception(), MediaStreamError))

        peer.addTransceiver("audio", direction="recvonly")
        peer.addTransceiver("video", direction="recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    answer = await asyncio.to_thread(session.begin, peer.localDescription.sdp)
    await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    while not ended.is_set():
        perception.tell()
        try:
            await asyncio.wait_for(ended.wait(), 0.25)
        except asyncio.TimeoutError:
            pass
    await asyncio.to_thread(session.end)
    await peer.close()


asyncio.run(main())
