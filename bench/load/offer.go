package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// credentials are those of one end's ICE (RFC 8839 section 5.4).
type credentials struct {
	ufrag, password string
}

func newCredentials() credentials {
	random := make([]byte, 20)
	rand.Read(random)
	text := hex.EncodeToString(random)
	return credentials{text[:8], text[8:]}
}

// playOffer is what a viewer of VP8 says: RTX, NACK, PLI and transport-wide congestion control.
func playOffer(n numbers, own credentials, fingerprint string) string {
	lines := []string{
		"v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0", "a=msid-semantic: WMS *",
		fmt.Sprintf("m=video 9 UDP/TLS/RTP/SAVPF %d %d", n.vp8, n.rtx),
		"c=IN IP4 0.0.0.0", "a=mid:0", "a=recvonly", "a=rtcp-mux", "a=rtcp-rsize",
		"a=setup:actpass", "a=ice-options:trickle", "a=ice-ufrag:" + own.ufrag, "a=ice-pwd:" + own.password,
		"a=fingerprint:sha-256 " + fingerprint,
		fmt.Sprintf("a=rtpmap:%d VP8/90000", n.vp8),
		fmt.Sprintf("a=rtpmap:%d rtx/90000", n.rtx),
		fmt.Sprintf("a=fmtp:%d apt=%d", n.rtx, n.vp8),
	}
	for _, feedback := range []string{"nack", "nack pli", "transport-cc"} {
		lines = append(lines, fmt.Sprintf("a=rtcp-fb:%d %s", n.vp8, feedback))
	}
	for i, uri := range n.extensions {
		lines = append(lines, fmt.Sprintf("a=extmap:%d %s", i+1, uri))
	}
	return strings.Join(lines, "\r\n") + "\r\n"
}

// playAnswer is what a viewer needs of the server's answer.
type playAnswer struct {
	credentials
	// address of the first UDP candidate on loopback.
	address string
}

var (
	ufragLine     = regexp.MustCompile(`(?m)^a=ice-ufrag:(\S+)`)
	passwordLine  = regexp.MustCompile(`(?m)^a=ice-pwd:(\S+)`)
	candidateLine = regexp.MustCompile(`(?m)^a=candidate:\S+ 1 udp \d+ (127\.\S+) (\d+) typ host`)
)

func readPlayAnswer(sdp string) (playAnswer, error) {
	ufrag := ufragLine.FindStringSubmatch(sdp)
	password := passwordLine.FindStringSubmatch(sdp)
	candidate := candidateLine.FindStringSubmatch(sdp)
	if ufrag == nil || password == nil || candidate == nil {
		return playAnswer{}, fmt.Errorf("the answer has no ICE credentials, or no UDP candidate on loopback:\n%s", sdp)
	}
	return playAnswer{credentials{ufrag[1], password[1]}, candidate[1] + ":" + candidate[2]}, nil
}
