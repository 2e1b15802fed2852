package main

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
)

const (
	ownSSRC          = 1
	feedbackInterval = 100 * time.Millisecond
	reportInterval   = time.Second
	// checkedShare: one packet in so many is decrypted, to see that its keys and its bytes are right.
	checkedShare = 64
)

// reception is what a viewer keeps of the packets it got, and the RTCP it owes for them: transport-wide
// feedback as often as browsers send it, NACKs for gaps, and receiver reports.
type reception struct {
	numbers     numbers
	transportCC byte
	recorder    *twcc.Recorder
	started     time.Time

	ssrc           uint32
	highest        uint16
	cycles         uint32
	first          uint32
	packets        uint32
	missing        []uint16
	senderReport   uint32
	senderReported time.Time
	reported       time.Time
	decrypted      []byte
}

func newReception(n numbers) *reception {
	r := &reception{numbers: n, started: time.Now(), recorder: twcc.NewRecorder(ownSSRC)}
	for i, uri := range n.extensions {
		if uri == uriTransportCC {
			r.transportCC = byte(i + 1)
		}
	}
	return r
}

// take notes an SRTP packet. media is false for retransmissions and for padding that probes the bandwidth.
func (r *reception) take(packet []byte, f *flow, now time.Time) (media bool, err error) {
	if len(packet) < rtpHeaderBytes {
		return false, fmt.Errorf("a packet of %d bytes", len(packet))
	}
	ssrc := binary.BigEndian.Uint32(packet[8:])
	if sequence, ok := extension(packet, r.transportCC); ok {
		r.recorder.Record(ssrc, sequence, now.Sub(r.started).Microseconds())
	}
	switch payloadType := packet[1] & 0x7f; payloadType {
	case byte(r.numbers.vp8):
		r.ssrc = ssrc
		r.follow(binary.BigEndian.Uint16(packet[2:]))
	default:
		return false, nil
	}
	if r.packets%checkedShare == 0 {
		if r.decrypted, err = f.incoming.DecryptRTP(r.decrypted[:0], packet, nil); err != nil {
			return false, fmt.Errorf("decrypting: %w", err)
		}
	}
	return true, nil
}

// follow keeps count of sequence numbers (RFC 3550 appendix A.1, without its probation).
func (r *reception) follow(sequence uint16) {
	r.packets++
	if r.packets == 1 {
		r.first, r.highest = uint32(sequence), sequence
		return
	}
	ahead := sequence - r.highest
	if ahead == 0 || ahead >= 1<<15 {
		return
	}
	for lost := r.highest + 1; lost != sequence && len(r.missing) < 64; lost++ {
		r.missing = append(r.missing, lost)
	}
	if sequence < r.highest {
		r.cycles += 1 << 16
	}
	r.highest = sequence
}

// hear notes the sender reports in an SRTCP packet.
func (r *reception) hear(packet []byte, f *flow, now time.Time) error {
	plain, err := f.incoming.DecryptRTCP(nil, packet, nil)
	if err != nil {
		return fmt.Errorf("decrypting RTCP: %w", err)
	}
	parts, err := rtcp.Unmarshal(plain)
	if err != nil {
		return err
	}
	for _, part := range parts {
		if report, ok := part.(*rtcp.SenderReport); ok && report.SSRC == r.ssrc {
			r.senderReport, r.senderReported = uint32(report.NTPTime>>16), now
		}
	}
	return nil
}

// feedback sends what is owed by now.
func (r *reception) feedback(f *flow, now time.Time) error {
	packets := r.recorder.BuildFeedbackPacket()
	if len(r.missing) > 0 {
		packets = append(packets, &rtcp.TransportLayerNack{
			SenderSSRC: ownSSRC, MediaSSRC: r.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(r.missing),
		})
		r.missing = r.missing[:0]
	}
	if r.packets > 0 && now.Sub(r.reported) >= reportInterval {
		packets = append([]rtcp.Packet{r.receiverReport(now)}, packets...)
		r.reported = now
	}
	if len(packets) == 0 {
		return nil
	}
	plain, err := rtcp.Marshal(packets)
	if err != nil {
		return err
	}
	encrypted, err := f.outgoing.EncryptRTCP(nil, plain, nil)
	if err != nil {
		return err
	}
	_, err = f.socket.Write(encrypted)
	return err
}

func (r *reception) receiverReport(now time.Time) *rtcp.ReceiverReport {
	highest := r.cycles + uint32(r.highest)
	report := rtcp.ReceptionReport{SSRC: r.ssrc, LastSequenceNumber: highest}
	if expected := highest - r.first + 1; expected > r.packets {
		report.TotalLost = min(expected-r.packets, 1<<23-1)
	}
	if r.senderReport != 0 {
		report.LastSenderReport = r.senderReport
		report.Delay = uint32(now.Sub(r.senderReported) * 65_536 / time.Second)
	}
	return &rtcp.ReceiverReport{SSRC: ownSSRC, Reports: []rtcp.ReceptionReport{report}}
}

// extension reads a two-byte value among one-byte header extensions (RFC 8285 section 4.2).
func extension(packet []byte, id byte) (uint16, bool) {
	at := rtpHeaderBytes + 4*int(packet[0]&0x0f)
	if packet[0]&0x10 == 0 || len(packet) < at+4 || binary.BigEndian.Uint16(packet[at:]) != 0xbede {
		return 0, false
	}
	end := min(at+4+4*int(binary.BigEndian.Uint16(packet[at+2:])), len(packet))
	for at += 4; at < end; {
		if packet[at] == 0 {
			at++
			continue
		}
		length := int(packet[at]&0x0f) + 1
		if packet[at]>>4 == id && length == 2 && at+3 <= end {
			return binary.BigEndian.Uint16(packet[at+1:]), true
		}
		at += 1 + length
	}
	return 0, false
}
