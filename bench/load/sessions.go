package main

import (
	"flag"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// runSessions holds many sessions that do nothing after one heartbeat each. On `rate` some of them send
// heartbeats as fast as they are answered.
func runSessions(args []string, words <-chan string) error {
	flags := flag.NewFlagSet("sessions", flag.ExitOnError)
	url := flags.String("url", "", "WebSocket address of the server")
	count := flags.Int("connections", 1000, "how many sessions")
	sources := flags.String("sources", "", "local addresses to connect from, by turns")
	senders := flags.Int("senders", 64, "sessions that send heartbeats on `rate`")
	span := flags.Duration("span", 5*time.Second, "for how long they do")
	flags.Parse(args)

	var addresses []net.IP
	for _, text := range strings.Split(*sources, ",") {
		if ip := net.ParseIP(text); ip != nil {
			addresses = append(addresses, ip)
		}
	}
	if len(addresses) == 0 {
		return fmt.Errorf("-sources %q names no address", *sources)
	}

	var lock sync.Mutex
	sessions := make([]*session, 0, *count)
	started := time.Now()
	err := times(*count, func() error {
		lock.Lock()
		from := addresses[len(sessions)%len(addresses)]
		sessions = append(sessions, nil)
		place := len(sessions) - 1
		lock.Unlock()
		s, err := openSession(*url, from)
		if err != nil {
			return err
		}
		sessions[place] = s
		return s.heartbeat()
	})
	if err != nil {
		return err
	}
	tell(map[string]any{"event": "open", "connections": *count, "seconds": time.Since(started).Seconds()})
	for word := range words {
		if word != "rate" {
			return fmt.Errorf("%q is not understood", word)
		}
		if err := measureRate(sessions[:min(*senders, len(sessions))], *span); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) heartbeat() error {
	_, err := s.ask("stream.heartbeat", "load", struct{}{})
	return err
}

// measureRate lets each session send its next heartbeat when the last is answered.
func measureRate(sessions []*session, span time.Duration) error {
	latencies := make([][]time.Duration, len(sessions))
	errs := make(chan error, len(sessions))
	var group sync.WaitGroup
	started := time.Now()
	end := started.Add(span)
	for i, s := range sessions {
		group.Add(1)
		go func() {
			defer group.Done()
			for {
				sent := time.Now()
				if sent.After(end) {
					return
				}
				if err := s.heartbeat(); err != nil {
					errs <- err
					return
				}
				latencies[i] = append(latencies[i], time.Since(sent))
			}
		}()
	}
	group.Wait()
	took := time.Since(started)
	select {
	case err := <-errs:
		return err
	default:
	}
	all := slices.Concat(latencies...)
	slices.Sort(all)
	milliseconds := func(share float64) float64 {
		return float64(all[int(share*float64(len(all)-1))]) / float64(time.Millisecond)
	}
	tell(map[string]any{
		"event":      "rate",
		"per_second": float64(len(all)) / took.Seconds(),
		"p50_ms":     milliseconds(0.5),
		"p99_ms":     milliseconds(0.99),
	})
	return nil
}
