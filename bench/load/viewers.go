package main

import (
	"flag"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// joiners is how many viewers join at a time: the load is meant for the time after they have.
const joiners = 4

// runViewers publishes a stream and plays it many times. On each `mark` it tells what has been sent and
// received so far.
func runViewers(args []string, words <-chan string) error {
	flags := flag.NewFlagSet("viewers", flag.ExitOnError)
	url := flags.String("url", "", "WebSocket address of the server")
	stream := flags.String("stream", "load", "name of the stream")
	count := flags.Int("viewers", 1, "how many play it")
	bitrate := flags.Int("bitrate", 1_000_000, "of the stream, bit/s")
	layers := flags.Bool("layers", false, "simulcast: beside it a second encoding of a sixth of the bitrate")
	named := flags.String("numbers", "same", "payload types and extension ids of the viewers: same (as mediasoup's) or other")
	flags.Parse(args)

	n, ok := numbering[*named]
	if !ok {
		return fmt.Errorf("-numbers %q is neither same nor other", *named)
	}
	as, err := newIdentity()
	if err != nil {
		return err
	}
	senders, err := newPeers(numbering["same"], as)
	if err != nil {
		return err
	}
	source, err := publish(*url, *stream, senders, *bitrate, *layers)
	if err != nil {
		return err
	}
	defer source.close()

	var got received
	started := time.Now()
	if err := times(*count, func() error {
		_, err := play(*url, *stream, n, as, &got)
		return err
	}); err != nil {
		return err
	}
	tell(map[string]any{"event": "joined", "viewers": *count, "seconds": time.Since(started).Seconds()})
	for word := range words {
		if word != "mark" {
			return fmt.Errorf("%q is not understood", word)
		}
		if failure := got.failure.Load(); failure != nil {
			return *failure
		}
		source.betweenFrames()
		tell(map[string]any{
			"event":       "mark",
			"sent":        source.sent(),
			"received":    got.packets.Load(),
			"bytes":       got.bytes.Load(),
			"extra":       got.extra.Load(),
			"cpu_seconds": cpuSeconds(),
		})
	}
	return nil
}

// times runs `one` count times, a few at a time, and returns the first error.
func times(count int, one func() error) error {
	var next atomic.Int64
	var group sync.WaitGroup
	errs := make(chan error, joiners)
	for range joiners {
		group.Add(1)
		go func() {
			defer group.Done()
			for next.Add(1) <= int64(count) {
				if err := one(); err != nil {
					errs <- err
					return
				}
			}
		}()
	}
	group.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}
