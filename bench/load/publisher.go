package main

import (
	"crypto/rand"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

const (
	framesPerSecond = 25
	maxPacketBytes  = 1250
	rtpHeaderBytes  = 12
)

// publisher sends a stream that has the form of VP8 (RFC 7741): a payload descriptor, the header of a key
// frame when one is asked for, and filler, as nobody decodes it.
type publisher struct {
	session   *session
	pc        *webrtc.PeerConnection
	encodings []*encoding
	// sentAt is when the latest frame went out, in Unix nanoseconds.
	sentAt atomic.Int64
	stop   chan struct{}
}

// encoding is one RTP stream of the picture; with more than one, simulcast, each has a rid.
type encoding struct {
	track    *webrtc.TrackLocalStaticRTP
	rid      string
	payload  []byte
	perFrame int
	sequence uint16
	packets  atomic.Int64
	// keyFrameWanted is set by the server's PLI.
	keyFrameWanted atomic.Bool
}

// publish connects and begins to send. bitrate is that of the RTP packets, in bit/s. With layers there is a
// second encoding, of a sixth of that.
func publish(url, stream string, p *peers, bitrate int, layers bool) (*publisher, error) {
	s, err := openSession(url, nil)
	if err != nil {
		return nil, err
	}
	pc, err := p.connection()
	if err != nil {
		return nil, err
	}
	pub := &publisher{session: s, pc: pc, stop: make(chan struct{})}
	if layers {
		err = pub.add(encodingOf("l", bitrate/6), encodingOf("h", bitrate))
	} else {
		err = pub.add(encodingOf("", bitrate))
	}
	if err == nil {
		err = negotiate(s, pc, "stream.publish", stream)
	}
	if err != nil {
		pub.close()
		return nil, err
	}
	go pub.send()
	return pub, nil
}

func encodingOf(rid string, bitrate int) *encoding {
	frameBytes := bitrate / 8 / framesPerSecond
	perFrame := (frameBytes + maxPacketBytes - 1) / maxPacketBytes
	e := &encoding{rid: rid, perFrame: perFrame, payload: make([]byte, frameBytes/perFrame-rtpHeaderBytes)}
	rand.Read(e.payload)
	e.keyFrameWanted.Store(true)
	return e
}

func (p *publisher) add(encodings ...*encoding) error {
	p.encodings = encodings
	var sender *webrtc.RTPSender
	for _, e := range encodings {
		var options []func(*webrtc.TrackLocalStaticRTP)
		if e.rid != "" {
			options = append(options, webrtc.WithRTPStreamID(e.rid))
		}
		var err error
		e.track, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: "video/VP8"}, "video", "load", options...)
		if err != nil {
			return err
		}
		if sender != nil {
			if err := sender.AddEncoding(e.track); err != nil {
				return err
			}
			continue
		}
		transceiver, err := p.pc.AddTransceiverFromTrack(e.track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		if err != nil {
			return err
		}
		sender = transceiver.Sender()
	}
	for _, e := range encodings {
		go e.listen(sender)
	}
	return nil
}

func (e *encoding) listen(sender *webrtc.RTPSender) {
	read := sender.ReadRTCP
	if e.rid != "" {
		read = func() ([]rtcp.Packet, interceptor.Attributes, error) { return sender.ReadSimulcastRTCP(e.rid) }
	}
	for {
		packets, _, err := read()
		if err != nil {
			return
		}
		for _, packet := range packets {
			if _, ok := packet.(*rtcp.PictureLossIndication); ok {
				e.keyFrameWanted.Store(true)
			}
		}
	}
}

func (p *publisher) send() {
	ticker := time.NewTicker(time.Second / framesPerSecond)
	defer ticker.Stop()
	var timestamp uint32
	for {
		select {
		case <-p.stop:
			return
		case <-ticker.C:
		}
		for _, e := range p.encodings {
			if e.sendFrame(timestamp) != nil {
				return
			}
		}
		p.sentAt.Store(time.Now().UnixNano())
		timestamp += 90_000 / framesPerSecond
	}
}

func (e *encoding) sendFrame(timestamp uint32) error {
	key := e.keyFrameWanted.Swap(false)
	for i := range e.perFrame {
		describe(e.payload, i == 0, key)
		packet := &rtp.Packet{
			Header: rtp.Header{
				Version:        2,
				Marker:         i == e.perFrame-1,
				SequenceNumber: e.sequence,
				Timestamp:      timestamp,
			},
			Payload: e.payload,
		}
		if e.rid != "" {
			// As numbering["same"] has them; there is one section, whose mid is 0.
			packet.SetExtension(1, []byte("0"))
			packet.SetExtension(2, []byte(e.rid))
		}
		e.sequence++
		if err := e.track.WriteRTP(packet); err != nil {
			return err
		}
		e.packets.Add(1)
	}
	return nil
}

// sent is how many packets there are of the best encoding.
func (p *publisher) sent() int64 {
	return p.encodings[len(p.encodings)-1].packets.Load()
}

// describe writes the payload descriptor (RFC 7741 section 4.2), and at a frame's start its header (RFC 6386
// section 9.1), which is what tells a key frame.
func describe(payload []byte, first, key bool) {
	payload[0] = 0
	if !first {
		return
	}
	payload[0] = 0x10
	if !key {
		payload[1] = 0x11
		return
	}
	// Frame tag, start code, 640 by 480.
	copy(payload[1:], []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01})
}

// betweenFrames waits for a moment when everything that was sent has arrived, and nothing new is on its way.
func (p *publisher) betweenFrames() {
	const frame = time.Second / framesPerSecond
	for {
		age := time.Since(time.Unix(0, p.sentAt.Load()))
		if age > frame/2 && age < frame*3/4 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func (p *publisher) close() {
	close(p.stop)
	p.pc.Close()
	p.session.close()
}
