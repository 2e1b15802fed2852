package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"time"

	"github.com/gorilla/websocket"
)

const replyTimeout = 30 * time.Second

// session is one WebSocket and the session that the server gave it. It has one request under way at a time.
type session struct {
	socket *websocket.Conn
	id     string
	// replies is fed by the reader, which also answers pings.
	replies chan reply
	closed  chan struct{}
}

type request struct {
	Version string `json:"version"`
	Method  string `json:"method"`
	Stream  string `json:"stream"`
	Session string `json:"session"`
	Data    any    `json:"data"`
}

type reply struct {
	Err     int    `json:"err"`
	Message string `json:"err_msg"`
	Session string `json:"session"`
	Data    struct {
		SDP string `json:"sdp"`
	} `json:"data"`
}

// openSession connects from a local address, or from any when source is nil. Certificates are not checked:
// the server under test made its own.
func openSession(url string, source net.IP) (*session, error) {
	dialer := websocket.Dialer{
		HandshakeTimeout: replyTimeout,
		TLSClientConfig:  &tls.Config{InsecureSkipVerify: true},
		ReadBufferSize:   1024,
		WriteBufferSize:  1024,
	}
	if source != nil {
		dialer.NetDial = (&net.Dialer{LocalAddr: &net.TCPAddr{IP: source}, Timeout: replyTimeout}).Dial
	}
	socket, _, err := dialer.Dial(url, nil)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", url, err)
	}
	s := &session{socket: socket, replies: make(chan reply, 1), closed: make(chan struct{})}
	go s.read()
	return s, nil
}

func (s *session) read() {
	defer close(s.closed)
	for {
		_, text, err := s.socket.ReadMessage()
		if err != nil {
			return
		}
		var r reply
		if err := json.Unmarshal(text, &r); err != nil {
			return
		}
		s.replies <- r
	}
}

// ask sends a request and waits for its reply; a reply that is an error is an error.
func (s *session) ask(method, stream string, data any) (reply, error) {
	if err := s.socket.WriteJSON(request{"1.0", method, stream, s.id, data}); err != nil {
		return reply{}, fmt.Errorf("%s: %w", method, err)
	}
	timeout := time.NewTimer(replyTimeout)
	defer timeout.Stop()
	select {
	case r := <-s.replies:
		if r.Err != 0 {
			return r, fmt.Errorf("%s of %q: %d %s", method, stream, r.Err, r.Message)
		}
		s.id = r.Session
		return r, nil
	case <-s.closed:
		return reply{}, fmt.Errorf("%s of %q: the server closed the connection", method, stream)
	case <-timeout.C:
		return reply{}, fmt.Errorf("%s of %q: no reply for %v", method, stream, replyTimeout)
	}
}

func (s *session) close() {
	s.socket.Close()
}
