package main

import (
	"flag"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"
)

// runCycles publishes and closes streams, as many as each word on standard input says, and tells when that
// many are done.
//
// Most cycles offer, are answered, play the stream once, and close without ever connecting. Every tenth
// connects, sends media, has a viewer that gets some, and closes; every other one of those leaves like a
// killed tab: its sockets just end.
func runCycles(args []string, words <-chan string) error {
	flags := flag.NewFlagSet("cycles", flag.ExitOnError)
	url := flags.String("url", "", "WebSocket address of the server")
	flags.Parse(args)

	as, err := newIdentity()
	if err != nil {
		return err
	}
	senders, err := newPeers(numbering["same"], as)
	if err != nil {
		return err
	}
	c := &cycler{url: *url, senders: senders, identity: as}
	if c.publishOffer, err = publishOffer(senders); err != nil {
		return err
	}
	tell(map[string]any{"event": "ready"})
	for word := range words {
		count, err := strconv.Atoi(word)
		if err != nil {
			return err
		}
		if err := times(count, c.cycle); err != nil {
			return err
		}
		tell(map[string]any{"event": "done", "connected": c.connected.Load()})
	}
	return nil
}

type cycler struct {
	url              string
	senders          *peers
	identity         identity
	publishOffer     string
	count, connected atomic.Int64
}

func (c *cycler) cycle() error {
	n := c.count.Add(1)
	stream := fmt.Sprintf("cycle-%d", n)
	switch n % 20 {
	case 0:
		return c.withMedia(stream, false)
	case 10:
		return c.withMedia(stream, true)
	default:
		return c.withoutMedia(stream)
	}
}

func (c *cycler) withoutMedia(stream string) error {
	s, err := openSession(c.url, nil)
	if err != nil {
		return err
	}
	defer s.close()
	if _, err := s.ask("stream.publish", stream, map[string]string{"sdp": anew(c.publishOffer)}); err != nil {
		return err
	}
	if _, err := s.ask("stream.play", stream, map[string]string{"sdp": playOffer(numbering["other"], newCredentials(), c.identity.fingerprint)}); err != nil {
		return err
	}
	_, err = s.ask("stream.close", stream, struct{}{})
	return err
}

func (c *cycler) withMedia(stream string, politely bool) error {
	p, err := publish(c.url, stream, c.senders, 200_000, false)
	if err != nil {
		return err
	}
	defer p.close()
	var got received
	v, err := play(c.url, stream, numbering["other"], c.identity, &got)
	if err != nil {
		return err
	}
	defer v.close()
	for deadline := time.Now().Add(connectTimeout); got.packets.Load() == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("the viewer of %q got nothing for %v", stream, connectTimeout)
		}
	}
	c.connected.Add(1)
	if !politely {
		return nil
	}
	if _, err := v.session.ask("stream.close", stream, struct{}{}); err != nil {
		return err
	}
	_, err = p.session.ask("stream.close", stream, struct{}{})
	return err
}

// publishOffer is the offer of a peer connection that is made for nothing else.
func publishOffer(p *peers) (string, error) {
	pc, err := p.connection()
	if err != nil {
		return "", err
	}
	defer pc.Close()
	init := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}
	if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, init); err != nil {
		return "", err
	}
	offer, err := pc.CreateOffer(nil)
	return offer.SDP, err
}

// anew gives an offer other ICE credentials: to the server it is that of another peer connection.
func anew(offer string) string {
	fresh := newCredentials()
	offer = ufragLine.ReplaceAllString(offer, "a=ice-ufrag:"+fresh.ufrag)
	return passwordLine.ReplaceAllString(offer, "a=ice-pwd:"+fresh.password)
}
