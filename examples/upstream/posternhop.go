// Package posternhop tells a Go service behind a postern gateway or guard who called: it verifies the header Postern-Identity.
//
// Copy this file into the service. It needs the standard library alone.
//
//	verifier := posternhop.New("https://auth.acme.dev", "mybentocloud/summarizer", "https://auth.acme.dev/.well-known/jwks.json")
//	http.ListenAndServe(":3000", verifier.Middleware(handler))   // in the handler: posternhop.Caller(request)
//
// For gRPC, in an interceptor: verifier.Verify(hop, "POST", info.FullMethod).
package posternhop

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"
)

// ErrRefused says that a call has no valid hop for this service, method and path: answer 401 or UNAUTHENTICATED.
var ErrRefused = errors.New("no valid hop")

// ErrKeysUnavailable says that the keys can't be read, so nothing is known about the hop: answer 503 or UNAVAILABLE.
var ErrKeysUnavailable = errors.New("the keys of the hops can not be read")

// Identity is the verified caller.
type Identity struct {
	Issuer       string          `json:"iss"`
	Audience     string          `json:"aud"`
	TokenID      string          `json:"sub"`
	Owner        *string         `json:"owner"`
	Organization string          `json:"organization"`
	Types        []string        `json:"types"`
	Scope        *string         `json:"scope"`
	Endpoints    json.RawMessage `json:"endpoints"` // "*", or a list of names
	Method       string          `json:"htm"`
	Address      string          `json:"htu"`
	IssuedAt     *float64        `json:"iat"`
	ExpiresAt    *float64        `json:"exp"`
}

// Verifier verifies hops. Make one for the process: it keeps the key set. Safe for goroutines.
type Verifier struct {
	Issuer   string
	Audience string // this service, organization/endpoint
	JWKS     string // the address of the key set

	Tolerance time.Duration    // between the clocks
	Now       func() time.Time // for tests
	MaxAge    time.Duration    // the keys are fetched again after this time,
	Cooldown  time.Duration    // or for an unknown key, but never twice within this for one of these causes
	Stale     time.Duration    // if the server does not answer, known keys serve for this much longer

	lock      sync.Mutex
	keys      map[string]ed25519.PublicKey
	fetchedAt time.Time
	ageAsked  time.Time
	kidAsked  time.Time
	failure   error
}

// New makes a verifier with the usual times.
func New(issuer, audience, jwks string) *Verifier {
	return &Verifier{
		Issuer: issuer, Audience: audience, JWKS: jwks,
		Tolerance: 5 * time.Second, Now: time.Now,
		MaxAge: 10 * time.Minute, Cooldown: 30 * time.Second, Stale: time.Hour,
	}
}

const (
	maxLife  = 30
	maxBytes = 1 << 20
)

var (
	form    = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`)
	address = regexp.MustCompile(`(?i)^https?://[^/\\?#\s]+(/[^?#]*)`)
	target  = regexp.MustCompile(`(?i)^(?:https?://[^/\\?#\s]+)?(/[^?#]*)`)
	strict  = base64.RawURLEncoding.Strict()
)

// Verify returns the caller. The target is the path as it was sent, with or without its query.
func (v *Verifier) Verify(hop, method, sent string) (*Identity, error) {
	if len(hop) > 8192 || !form.MatchString(hop) {
		return nil, refused("there is none")
	}
	parts := strings.Split(hop, ".")
	header, payload, signature := decode(parts[0]), decode(parts[1]), decode(parts[2])
	kid, err := readHeader(header)
	if err != nil {
		return nil, err
	}
	key, err := v.find(kid)
	if err != nil {
		return nil, err
	}
	if key == nil || !ed25519.Verify(key, []byte(parts[0]+"."+parts[1]), signature) {
		return nil, refused("its signature is not valid")
	}
	var caller Identity
	if json.Unmarshal(payload, &caller) != nil {
		return nil, refused("it can not be read")
	}
	if err := v.check(&caller, method, sent); err != nil {
		return nil, err
	}
	return &caller, nil
}

func (v *Verifier) check(caller *Identity, method, sent string) error {
	if caller.Issuer != v.Issuer || caller.Audience != v.Audience {
		return refused("it is for another service")
	}
	named, asked := address.FindStringSubmatch(caller.Address), target.FindStringSubmatch(sent)
	if caller.Method != method || named == nil || asked == nil || named[1] != asked[1] {
		return refused("it is for another call")
	}
	if caller.TokenID == "" || caller.Organization == "" || caller.Scope == nil {
		return refused("it names no caller")
	}
	var names []string
	isList := json.Unmarshal(caller.Endpoints, &names) == nil && names != nil
	if caller.Types == nil || !isList && string(caller.Endpoints) != `"*"` {
		return refused("it names no rights")
	}
	if caller.IssuedAt == nil || caller.ExpiresAt == nil {
		return refused("it has no times")
	}
	now, tolerance := float64(v.Now().UnixMilli())/1000, v.Tolerance.Seconds()
	if *caller.IssuedAt > now+tolerance || *caller.ExpiresAt <= now-tolerance {
		return refused("it is not valid now")
	}
	if *caller.ExpiresAt-*caller.IssuedAt > maxLife {
		return refused("it lives too long")
	}
	return nil
}

// readHeader returns the kid of a hop. The header has alg, kid and typ, and nothing else.
func readHeader(text []byte) (string, error) {
	var header map[string]any
	if json.Unmarshal(text, &header) != nil || len(header) != 3 {
		return "", refused("it is no hop")
	}
	kid, isText := header["kid"].(string)
	if header["alg"] != "EdDSA" || header["typ"] != "postern-hop+jwt" || !isText {
		return "", refused("it is no hop")
	}
	return kid, nil
}

// decode reads canonical base64url, so that each hop has one spelling; nil for anything else.
func decode(part string) []byte {
	decoded, err := strict.DecodeString(part)
	if err != nil {
		return nil
	}
	return decoded
}

func refused(why string) error {
	return fmt.Errorf("%w: %s", ErrRefused, why)
}

func (v *Verifier) find(kid string) (ed25519.PublicKey, error) {
	v.lock.Lock()
	defer v.lock.Unlock()
	asked := v.age() >= v.MaxAge && v.ask(&v.ageAsked)
	usable := v.MaxAge
	if v.failure != nil {
		usable += v.Stale
	}
	if key := v.keys[kid]; key != nil && v.age() < usable {
		return key, nil
	}
	if !asked {
		v.ask(&v.kidAsked)
	}
	if v.failure != nil {
		return nil, fmt.Errorf("%w: %v", ErrKeysUnavailable, v.failure)
	}
	return v.keys[kid], nil
}

// age is absolute, so that a clock that is set back can't make keys look young.
func (v *Verifier) age() time.Duration {
	if v.fetchedAt.IsZero() {
		return math.MaxInt64
	}
	return distance(v.Now(), v.fetchedAt)
}

func distance(one, other time.Time) time.Duration {
	if one.Before(other) {
		return other.Sub(one)
	}
	return one.Sub(other)
}

// ask reads the keys, unless they were asked for within the cool-down since last.
func (v *Verifier) ask(last *time.Time) bool {
	now := v.Now()
	if !last.IsZero() && distance(now, *last) < v.Cooldown {
		return false
	}
	*last = now
	keys, err := fetch(v.JWKS)
	v.failure = err
	if err == nil {
		v.keys, v.fetchedAt = keys, now
	}
	return true
}

var client = &http.Client{
	Timeout:       5 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func fetch(url string) (map[string]ed25519.PublicKey, error) {
	answer, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", answer.StatusCode)
	}
	var set struct {
		Keys *[]struct{ Kty, Crv, Kid, X, D string }
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxBytes+1))
	if err != nil || len(body) > maxBytes || json.Unmarshal(body, &set) != nil || set.Keys == nil {
		return nil, errors.New("no key set")
	}
	keys := map[string]ed25519.PublicKey{}
	for _, jwk := range *set.Keys {
		// Keys of other kinds are skipped.
		if x := decode(jwk.X); jwk.Kty == "OKP" && jwk.Crv == "Ed25519" && jwk.D == "" && len(x) == ed25519.PublicKeySize {
			keys[jwk.Kid] = x
		}
	}
	return keys, nil
}

type callerKey struct{}

// Caller returns the caller of a request that Middleware let through.
func Caller(request *http.Request) *Identity {
	caller, _ := request.Context().Value(callerKey{}).(*Identity)
	return caller
}

// Middleware answers calls without a valid hop with 401, and with 503 while the keys can't be read.
func (v *Verifier) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		hops := request.Header.Values("Postern-Identity")
		hop := ""
		if len(hops) == 1 {
			hop = hops[0]
		}
		caller, err := v.Verify(hop, request.Method, request.RequestURI)
		if errors.Is(err, ErrKeysUnavailable) {
			writer.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if err != nil {
			writer.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(writer, request.WithContext(context.WithValue(request.Context(), callerKey{}, caller)))
	})
}
