"""gstreamer-client.py publish|play ENDPOINT [RED,GREEN,BLUE TONE_HZ]"""

import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

import whip  # noqa: E402

VIDEO = "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000"
AUDIO = "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,encoding-params=(string)2"

PUBLISH = f"""
webrtcbin name=peer bundle-policy=max-bundle
audiotestsrc is-live=true freq={{tone}} volume=0.4 ! audio/x-raw,rate=48000,channels=2
  ! opusenc ! rtpopuspay pt=111 ! {AUDIO} ! queue ! peer.
videotestsrc is-live=true pattern=solid-color foreground-color={{colour}}
  ! video/x-raw,format=I420,width=320,height=240,framerate=15/1
  ! vp8enc deadline=1 keyframe-max-dist=60 target-bitrate=300000 ! rtpvp8pay pt=96 picture-id-mode=15-bit
  ! {VIDEO},rtcp-fb-nack-pli=(boolean)true ! queue ! peer.
"""

Gst.init(None)
role, endpoint = sys.argv[1:3]
session = whip.Session(endpoint)
perception = whip.Perception()
loop = GLib.MainLoop()

if role == "publish":
    red, green, blue = (int(part) for part in sys.argv[3].split(","))
    colour = 0xFF000000 | red << 16 | green << 8 | blue
    pipeline = Gst.parse_launch(PUBLISH.format(tone=sys.argv[4], colour=colour))
    peer = pipeline.get_by_name("peer")
else:
    pipeline = Gst.Pipeline()
    peer = Gst.ElementFactory.make("webrtcbin", "peer")
    peer.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
    pipeline.add(peer)
    for caps in (AUDIO, VIDEO):
        peer.emit(
            "add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, Gst.Caps.from_string(caps)
        )


def on_negotiation_needed(element):
    if role == "publish":
        for index in range(2):
            transceiver = element.emit("get-transceiver", index)
            transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
    element.emit("create-offer", None, Gst.Promise.new_with_change_func(on_offer, None))


def on_offer(promise, _):
    # The offer is a part of the reply, which has to outlive it.
    reply = promise.get_reply()
    offer = reply.get_value("offer")
    peer.emit("set-local-description", offer, None)
    threading.Thread(target=begin, args=(offer.sdp.as_text(),), daemon=True).start()


def begin(offer):
    answer = session.begin(offer)
    _, sdp = GstSdp.SDPMessage.new_from_text(answer)
    description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
    peer.emit("set-remote-description", description, None)


def on_pad_added(_, pad):
    """Decodes what arrives."""
    if pad.get_direction() != Gst.PadDirection.SRC:
        return
    decoder = Gst.ElementFactory.make("decodebin")
    decoder.connect("pad-added", on_decoded)
    pipeline.add(decoder)
    decoder.sync_state_with_parent()
    pad.link(decoder.get_static_pad("sink"))


def on_decoded(_, pad):
    video = pad.get_current_caps().to_string().startswith("video")
    description = (
        "queue ! videoconvert ! video/x-raw,format=RGB ! appsink name=sink emit-signals=true sync=false"
        if video
        else "queue ! audioconvert ! audioresample ! audio/x-raw,format=S16LE,channels=1,rate=48000"
        " ! appsink name=sink emit-signals=true sync=false"
    )
    branch = Gst.parse_bin_from_description(description, True)
    branch.get_by_name("sink").connect("new-sample", on_picture if video else on_sound)
    pipeline.add(branch)
    branch.sync_state_with_parent()
    pad.link(branch.get_static_pad("sink"))


def on_picture(sink):
    sample = sink.emit("pull-sample")
    shape = sample.get_caps().get_structure(0)
    width, height = shape.get_value("width"), shape.get_value("height")
    data = sample.get_buffer().extract_dup(0, sample.get_buffer().get_size())
    at = height // 2 * (len(data) // height) + width // 2 * 3
    perception.saw(width, list(data[at : at + 3]))
    return Gst.FlowReturn.OK


def on_sound(sink):
    buffer = sink.emit("pull-sample").get_buffer()
    perception.heard(memoryview(buffer.extract_dup(0, buffer.get_size())).cast("h"))
    return Gst.FlowReturn.OK


def tell():
    perception.tell()
    return True


def on_message(_, message):
    if message.type == Gst.MessageType.ERROR:
        print(message.parse_error(), file=sys.stderr)
        loop.quit()


pipeline.get_bus().add_signal_watch()
pipeline.get_bus().connect("message", on_message)
peer.connect("on-negotiation-needed", on_negotiation_needed)
peer.connect("pad-added", on_pad_added)
GLib.timeout_add(250, tell)
GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, 15, loop.quit)
pipeline.set_state(Gst.State.PLAYING)
loop.run()
session.end()
pipeline.set_state(Gst.State.NULL)
