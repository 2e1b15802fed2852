"""WHIP and WHEP as a client needs them, and what a client perceived, for the clients beside this file."""

import json
import math
import signal
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request


class Session:
    """One resource: made by an offer, ended by DELETE."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.location = None

    def begin(self, offer):
        """Posts the offer and returns the answer."""
        headers = {"Content-Type": "application/sdp", "Accept": "application/sdp"}
        request = urllib.request.Request(self.endpoint, offer.encode(), headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=15) as response:
                self.location = urllib.parse.urljoin(self.endpoint, response.headers["Location"])
                return response.read().decode()
        except urllib.error.HTTPError as error:
            sys.exit(f"{error.code}: {error.read().decode()}\n{offer}")

    def end(self):
        if self.location is not None:
            try:
                urllib.request.urlopen(urllib.request.Request(self.location, method="DELETE"), timeout=15)
            except urllib.error.HTTPError as error:
                # Its stream may have ended before.
                if error.code != 404:
                    raise


class Perception:
    """Frames, the colour of the picture's middle, and the tone, told as JSON lines on standard output."""

    def __init__(self):
        self.lock = threading.Lock()
        self.frames = 0
        self.width = 0
        self.colour = None
        self.samples = []

    def saw(self, width, colour):
        with self.lock:
            self.frames += 1
            self.width = width
            self.colour = colour

    def heard(self, samples):
        """Takes mono samples of 48 kHz, 16 bits."""
        with self.lock:
            self.samples = (self.samples + list(samples))[-24000:]

    def tell(self):
        with self.lock:
            seen = {"framesDecoded": self.frames, "width": self.width, "colour": self.colour}
            if len(self.samples) == 24000:
                rises = sum(a < 0 <= b for a, b in zip(self.samples, self.samples[1:]))
                power = sum(sample * sample for sample in self.samples[::16]) / 1500
                seen["toneHz"] = rises * 2
                seen["toneDb"] = 10 * math.log10(max(power, 1) / 32768**2)
        print(json.dumps(seen), flush=True)


def on_end(handler):
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: handler())
