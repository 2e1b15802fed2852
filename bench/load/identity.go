package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"time"

	"github.com/pion/dtls/v3/pkg/crypto/fingerprint"
)

// identity is a DTLS certificate; all peers of this process share one, as making them is not what is measured.
type identity struct {
	key         *ecdsa.PrivateKey
	certificate tls.Certificate
	fingerprint string
}

func newIdentity() (identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return identity{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(30 * 24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return identity{}, err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return identity{}, err
	}
	hash, err := fingerprint.Fingerprint(parsed, crypto.SHA256)
	if err != nil {
		return identity{}, fmt.Errorf("fingerprint: %w", err)
	}
	return identity{key, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, hash}, nil
}
