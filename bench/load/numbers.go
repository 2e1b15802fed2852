package main

// numbers are the payload types and header extension ids of an offer. Extensions have the ids 1, 2 and so on.
type numbers struct {
	vp8, rtx   uint8
	extensions []string
}

const (
	uriMid         = "urn:ietf:params:rtp-hdrext:sdes:mid"
	uriRid         = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
	uriRepairedRid = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
	uriSendTime    = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
	uriTransportCC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
)

var numbering = map[string]numbers{
	// mediasoup's own for a router whose first codecs are Opus and VP8: viewers that a stock worker can serve.
	"same":  {101, 102, []string{uriMid, uriRid, uriRepairedRid, uriSendTime, uriTransportCC}},
	"other": {120, 121, []string{uriTransportCC, uriSendTime, uriRepairedRid, uriRid, uriMid}},
}
