package main

import (
	"crypto/rand"
	"sync/atomic"
	"time"

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
	session *session
	pc      *webrtc.PeerConnection
	track   *webrtc.TrackLocalStaticRTP
	packets atomic.Int64
	// sentAt is when the latest frame went out, in Unix nanoseconds.
	sentAt atomic.Int64
	stop   chan struct{}
	// keyFrameWanted is set by the server's PLI.
	keyFrameWanted atomic.Bool
}

// publish connects and begins to send. bitrate is that of the RTP packets, in bit/s.
func publish(url, stream string, p *peers, bitrate int) (*publisher, error) {
	s, err := openSession(url, nil)
	if err != nil {
		return nil, err
	}
	pc, err := p.connection()
	if err != nil {
		return nil, err
	}
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: "video/VP8"}, "video", "load")
	if err != nil {
		return nil, err
	}
	transceiver, err := pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return nil, err
	}
	pub := &publisher{session: s, pc: pc, track: track, stop: make(chan struct{})}
	pub.keyFrameWanted.Store(true)
	go pub.listen(transceiver.Sender())
	if err := negotiate(s, pc, "stream.publish", stream); err != nil {
		pub.close()
		return nil, err
	}
	go pub.send(bitrate)
	return pub, nil
}

func (p *publisher) listen(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, packet := range packets {
			if _, ok := packet.(*rtcp.PictureLossIndication); ok {
				p.keyFrameWanted.Store(true)
			}
		}
	}
}

func (p *publisher) send(bitrate int) {
	frameBytes := bitrate / 8 / framesPerSecond
	perFrame := (frameBytes + maxPacketBytes - 1) / maxPacketBytes
	payload := make([]byte, frameBytes/perFrame-rtpHeaderBytes)
	if _, err := rand.Read(payload); err != nil {
		panic(err)
	}
	ticker := time.NewTicker(time.Second / framesPerSecond)
	defer ticker.Stop()
	var sequence uint16
	var timestamp uint32
	for {
		select {
		case <-p.stop:
			return
		case <-ticker.C:
		}
		key := p.keyFrameWanted.Swap(false)
		for i := range perFrame {
			describe(payload, i == 0, key)
			packet := &rtp.Packet{
				Header: rtp.Header{
					Version:        2,
					Marker:         i == perFrame-1,
					SequenceNumber: sequence,
					Timestamp:      timestamp,
				},
				Payload: payload,
			}
			sequence++
			if err := p.track.WriteRTP(packet); err != nil {
				return
			}
			p.packets.Add(1)
		}
		p.sentAt.Store(time.Now().UnixNano())
		timestamp += 90_000 / framesPerSecond
	}
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
