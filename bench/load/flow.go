package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v3"
	"github.com/pion/transport/v3/packetio"
)

// flow is the 5-tuple of one viewer: ICE, DTLS and the keys of SRTP, without a media engine on top. A Pion
// peer connection hands each packet on three times; here it is read once, which is what lets one core hold
// several hundred viewers.
type flow struct {
	socket *net.UDPConn
	local  credentials
	remote playAnswer
	// dtls takes what belongs to DTLS (RFC 7983) from whoever reads the socket.
	dtls               *packetio.Buffer
	connection         *dtls.Conn
	incoming, outgoing *srtp.Context
}

func openFlow(local credentials, remote playAnswer) (*flow, error) {
	address, err := net.ResolveUDPAddr("udp4", remote.address)
	if err != nil {
		return nil, err
	}
	socket, err := net.DialUDP("udp4", nil, address)
	if err != nil {
		return nil, err
	}
	return &flow{socket: socket, local: local, remote: remote, dtls: packetio.NewBuffer()}, nil
}

// check sends a connectivity check that nominates, or renews consent (RFC 8445 section 7.2.4, RFC 7675).
func (f *flow) check() error {
	message, err := stun.Build(
		stun.TransactionID,
		stun.BindingRequest,
		stun.NewUsername(f.remote.ufrag+":"+f.local.ufrag),
		ice.AttrControlling(1),
		ice.PriorityAttr(1<<31-1),
		ice.UseCandidate(),
		stun.NewShortTermIntegrity(f.remote.password),
		stun.Fingerprint,
	)
	if err != nil {
		return err
	}
	_, err = f.socket.Write(message.Raw)
	return err
}

// handshake returns when DTLS is up. Somebody else must read the socket meanwhile.
func (f *flow) handshake(certificate tls.Certificate) error {
	connection, err := dtls.Client(&dtlsSide{f}, f.socket.RemoteAddr(), &dtls.Config{
		Certificates: []tls.Certificate{certificate},
		// Whether this is the certificate of the answer is the server's users' concern, not that of a measurement.
		InsecureSkipVerify:   true,
		ExtendedMasterSecret: dtls.RequireExtendedMasterSecret,
		SRTPProtectionProfiles: []dtls.SRTPProtectionProfile{
			dtls.SRTP_AEAD_AES_256_GCM,
			dtls.SRTP_AEAD_AES_128_GCM,
			dtls.SRTP_AES128_CM_HMAC_SHA1_80,
		},
	})
	if err != nil {
		return err
	}
	f.connection = connection
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	if err := connection.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("DTLS: %w", err)
	}
	state, ok := connection.ConnectionState()
	profile, chosen := connection.SelectedSRTPProtectionProfile()
	if !ok || !chosen {
		return fmt.Errorf("DTLS came up without SRTP")
	}
	config := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err := config.ExtractSessionKeysFromDTLS(&state, true); err != nil {
		return err
	}
	keys := config.Keys
	if f.incoming, err = srtp.CreateContext(keys.RemoteMasterKey, keys.RemoteMasterSalt, config.Profile); err != nil {
		return err
	}
	f.outgoing, err = srtp.CreateContext(keys.LocalMasterKey, keys.LocalMasterSalt, config.Profile)
	return err
}

func (f *flow) close() {
	if f.connection != nil {
		f.connection.Close()
	}
	f.dtls.Close()
	f.socket.Close()
}

// dtlsSide is the flow as DTLS sees it.
type dtlsSide struct{ flow *flow }

func (d *dtlsSide) ReadFrom(p []byte) (int, net.Addr, error) {
	n, err := d.flow.dtls.Read(p)
	return n, d.flow.socket.RemoteAddr(), err
}
func (d *dtlsSide) WriteTo(p []byte, _ net.Addr) (int, error) { return d.flow.socket.Write(p) }
func (d *dtlsSide) Close() error                              { return d.flow.dtls.Close() }
func (d *dtlsSide) LocalAddr() net.Addr                       { return d.flow.socket.LocalAddr() }
func (d *dtlsSide) SetDeadline(t time.Time) error             { return d.flow.dtls.SetReadDeadline(t) }
func (d *dtlsSide) SetReadDeadline(t time.Time) error         { return d.flow.dtls.SetReadDeadline(t) }
func (d *dtlsSide) SetWriteDeadline(time.Time) error          { return nil }
