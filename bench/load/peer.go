package main

import (
	"fmt"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"
)

const connectTimeout = 30 * time.Second

// peers makes publishers' peer connections, which share codecs, interceptors and certificate.
type peers struct {
	api         *webrtc.API
	certificate webrtc.Certificate
}

func newPeers(n numbers, as identity) (*peers, error) {
	certificate, err := webrtc.GenerateCertificate(as.key)
	if err != nil {
		return nil, err
	}

	media := &webrtc.MediaEngine{}
	feedback := []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "transport-cc"}}
	for _, codec := range []webrtc.RTPCodecParameters{
		{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: "video/VP8", ClockRate: 90_000, RTCPFeedback: feedback}, PayloadType: webrtc.PayloadType(n.vp8)},
		{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: "video/rtx", ClockRate: 90_000, SDPFmtpLine: fmt.Sprintf("apt=%d", n.vp8)}, PayloadType: webrtc.PayloadType(n.rtx)},
	} {
		if err := media.RegisterCodec(codec, webrtc.RTPCodecTypeVideo); err != nil {
			return nil, err
		}
	}
	opus := webrtc.RTPCodecParameters{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: "audio/opus", ClockRate: 48_000, Channels: 2}, PayloadType: 100}
	if err := media.RegisterCodec(opus, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, err
	}
	// Ids are given in this order, from 1.
	for _, uri := range n.extensions {
		if err := media.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, webrtc.RTPCodecTypeVideo); err != nil {
			return nil, err
		}
	}
	interceptors := &interceptor.Registry{}
	if err := webrtc.ConfigureRTCPReports(interceptors); err != nil {
		return nil, err
	}
	if err := webrtc.ConfigureNack(media, interceptors); err != nil {
		return nil, err
	}
	if err := webrtc.ConfigureTWCCHeaderExtensionSender(media, interceptors); err != nil {
		return nil, err
	}

	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	settings.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)

	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(interceptors), webrtc.WithSettingEngine(settings))
	return &peers{api, *certificate}, nil
}

func (p *peers) connection() (*webrtc.PeerConnection, error) {
	return p.api.NewPeerConnection(webrtc.Configuration{Certificates: []webrtc.Certificate{p.certificate}})
}

// negotiate offers what the peer connection has, and returns when it is connected.
func negotiate(s *session, pc *webrtc.PeerConnection, method, stream string) error {
	connected := make(chan struct{})
	pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateConnected {
			close(connected)
		}
	})
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	// The server answers as ICE-lite and learns our address from our checks: candidates need not be waited for.
	if err := pc.SetLocalDescription(offer); err != nil {
		return err
	}
	answer, err := s.ask(method, stream, map[string]string{"sdp": offer.SDP})
	if err != nil {
		return err
	}
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer.Data.SDP}); err != nil {
		return err
	}
	select {
	case <-connected:
		return nil
	case <-time.After(connectTimeout):
		return fmt.Errorf("%s of %q: not connected after %v, but %s", method, stream, connectTimeout, pc.ConnectionState())
	}
}
