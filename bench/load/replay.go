package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
	"github.com/pion/webrtc/v4/pkg/media/oggreader"
)

// opusFrame is how much sound a page of the Ogg file holds: one packet.
const opusFrame = 20 * time.Millisecond

// runReplay publishes a stream of real VP8 and Opus, from files and over again, until its input ends. Key
// frames come where the file has them, whoever asks for one.
func runReplay(args []string, words <-chan string) error {
	flags := flag.NewFlagSet("replay", flag.ExitOnError)
	url := flags.String("url", "", "WebSocket address of the server")
	stream := flags.String("stream", "replay", "name of the stream")
	picture := flags.String("video", "", "IVF file of VP8 that begins with a key frame")
	sound := flags.String("audio", "", "Ogg file of Opus, one packet of 20 ms a page")
	flags.Parse(args)

	frames, interval, err := readFrames(*picture)
	if err != nil {
		return err
	}
	packets, err := readPackets(*sound)
	if err != nil {
		return err
	}
	as, err := newIdentity()
	if err != nil {
		return err
	}
	senders, err := newPeers(numbering["same"], as)
	if err != nil {
		return err
	}
	s, err := openSession(*url, nil)
	if err != nil {
		return err
	}
	defer s.close()
	pc, err := senders.connection()
	if err != nil {
		return err
	}
	defer pc.Close()
	video, err := addTrack(pc, webrtc.MimeTypeVP8, "video")
	if err != nil {
		return err
	}
	audio, err := addTrack(pc, webrtc.MimeTypeOpus, "audio")
	if err != nil {
		return err
	}
	if err := negotiate(s, pc, "stream.publish", *stream); err != nil {
		return err
	}
	go replay(video, frames, interval)
	go replay(audio, packets, opusFrame)
	tell(map[string]any{"event": "published"})
	for range words {
	}
	return nil
}

func addTrack(pc *webrtc.PeerConnection, mimeType, id string) (*webrtc.TrackLocalStaticSample, error) {
	track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: mimeType}, id, "replay")
	if err != nil {
		return nil, err
	}
	_, err = pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	return track, err
}

// replay sends each sample when it is due, counted from the first, so that both tracks keep pace.
func replay(track *webrtc.TrackLocalStaticSample, samples [][]byte, interval time.Duration) {
	started := time.Now()
	for n := 0; ; n++ {
		time.Sleep(time.Until(started.Add(time.Duration(n) * interval)))
		sample := media.Sample{Data: samples[n%len(samples)], Duration: interval}
		if err := track.WriteSample(sample); err != nil {
			return
		}
	}
}

func readFrames(path string) ([][]byte, time.Duration, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, err
	}
	reader, header, err := ivfreader.NewWith(bytes.NewReader(file))
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", path, err)
	}
	interval := time.Second * time.Duration(header.TimebaseNumerator) / time.Duration(header.TimebaseDenominator)
	var frames [][]byte
	for {
		frame, _, err := reader.ParseNextFrame()
		if errors.Is(err, io.EOF) {
			return frames, interval, nil
		}
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", path, err)
		}
		frames = append(frames, frame)
	}
}

func readPackets(path string) ([][]byte, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	reader, _, err := oggreader.NewWith(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var packets [][]byte
	for {
		packet, _, err := reader.ParseNextPage()
		if errors.Is(err, io.EOF) {
			return packets, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		// The reader has taken the head; the tags are the other page that is no sound.
		if !bytes.HasPrefix(packet, []byte("OpusTags")) {
			packets = append(packets, packet)
		}
	}
}
