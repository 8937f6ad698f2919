// Reads vectors from stdin, and prints the names of those that the Go verifier accepts at the second try.
package main

import (
	"encoding/json"
	"errors"
	"log"
	"os"
	"time"

	"test/posternhop"
)

func main() {
	var given struct {
		Issuer, Audience, JwksURL string
		Vectors                   []struct {
			Name, Hop, Method, Target string
			Now                       int64
		}
	}
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		log.Fatal(err)
	}
	accepted := []string{}
	for _, vector := range given.Vectors {
		verifier := posternhop.New(given.Issuer, given.Audience, given.JwksURL)
		verifier.Now = func() time.Time { return time.Unix(vector.Now, 0) }
		verifier.Verify(vector.Hop, vector.Method, vector.Target)
		_, err := verifier.Verify(vector.Hop, vector.Method, vector.Target)
		if err == nil {
			accepted = append(accepted, vector.Name)
		} else if !errors.Is(err, posternhop.ErrRefused) {
			log.Fatal(vector.Name, ": ", err)
		}
	}
	json.NewEncoder(os.Stdout).Encode(accepted)
}
