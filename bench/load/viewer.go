package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"
)

const consentInterval = 5 * time.Second

// received counts what arrives at all viewers together.
type received struct {
	// packets and bytes of the stream itself; extra are retransmissions and probes.
	packets, bytes, extra atomic.Int64
	// failure is the first that any of them had.
	failure atomic.Pointer[error]
}

type viewer struct {
	session   *session
	flow      *flow
	reception *reception
	got       *received
	connected atomic.Bool
	ended     atomic.Bool
}

// play connects a viewer with a session of its own, and reads what it gets until it is closed.
func play(url, stream string, n numbers, as identity, got *received) (*viewer, error) {
	s, err := openSession(url, nil)
	if err != nil {
		return nil, err
	}
	v, err := join(s, stream, n, as, got)
	if err != nil {
		s.close()
	}
	return v, err
}

func join(s *session, stream string, n numbers, as identity, got *received) (*viewer, error) {
	local := newCredentials()
	answer, err := s.ask("stream.play", stream, map[string]string{"sdp": playOffer(n, local, as.fingerprint)})
	if err != nil {
		return nil, err
	}
	remote, err := readPlayAnswer(answer.Data.SDP)
	if err != nil {
		return nil, err
	}
	f, err := openFlow(local, remote)
	if err != nil {
		return nil, err
	}
	v := &viewer{session: s, flow: f, reception: newReception(n), got: got}
	go v.read()
	err = f.check()
	if err == nil {
		err = f.handshake(as.certificate)
	}
	if err != nil {
		v.ended.Store(true)
		f.close()
		return nil, fmt.Errorf("playing %q: %w", stream, err)
	}
	v.connected.Store(true)
	return v, nil
}

func (v *viewer) read() {
	buffer := make([]byte, 1500)
	var fed, consented time.Time
	for !v.ended.Load() {
		n, err := v.flow.socket.Read(buffer)
		now := time.Now()
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			// A refusal is the server's port gone: that it ended the stream is for its owner to judge.
			if !errors.Is(err, net.ErrClosed) {
				v.fail(err)
			}
			return
		}
		if err == nil {
			if err := v.dispatch(buffer[:n], now); err != nil {
				v.fail(err)
				return
			}
		}
		if now.Sub(fed) < feedbackInterval {
			continue
		}
		fed = now
		// Feedback follows packets; the deadline is for times without any.
		v.flow.socket.SetReadDeadline(now.Add(feedbackInterval))
		if now.Sub(consented) >= consentInterval {
			consented = now
			v.flow.check()
		}
		if v.connected.Load() {
			if err := v.reception.feedback(v.flow, now); err != nil && !v.ended.Load() {
				v.fail(err)
				return
			}
		}
	}
}

// dispatch tells protocols apart by their first byte (RFC 7983), and RTCP by its type (RFC 5761 section 4).
func (v *viewer) dispatch(packet []byte, now time.Time) error {
	switch first := packet[0]; {
	case first >= 20 && first <= 63:
		_, err := v.flow.dtls.Write(packet)
		return err
	case first < 128 || first > 191 || !v.connected.Load():
		// STUN responses: that DTLS comes up shows that the check succeeded.
		return nil
	case packet[1] >= 192 && packet[1] <= 223:
		return v.reception.hear(packet, v.flow, now)
	default:
		media, err := v.reception.take(packet, v.flow, now)
		if err != nil {
			return err
		}
		if !media {
			v.got.extra.Add(1)
			return nil
		}
		v.got.packets.Add(1)
		v.got.bytes.Add(int64(len(packet)))
		return nil
	}
}

func (v *viewer) fail(err error) {
	if v.ended.Load() {
		return
	}
	err = fmt.Errorf("a viewer: %w", err)
	v.got.failure.CompareAndSwap(nil, &err)
}

func (v *viewer) close() {
	v.ended.Store(true)
	v.flow.close()
	v.session.close()
}
