// golang.org/x/oauth2 and go-oidc, unmodified, through every flow they know. Prints one row of JSON a flow.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

var (
	issuer   = os.Getenv("ISSUER")
	api      = os.Getenv("API")
	callback = "http://127.0.0.1:8765/callback"
	ctx      = context.Background()
)

func flow(client, name string, run func() error) {
	row := map[string]any{"client": client, "flow": name, "ok": true}
	if err := run(); err != nil {
		row["ok"], row["why"] = false, err.Error()
	}
	line, _ := json.Marshal(row)
	fmt.Println(string(line))
}

func must(truth bool, says string, more ...any) error {
	if truth {
		return nil
	}
	return errors.New(says + fmt.Sprint(more...))
}

var hidden = regexp.MustCompile(`type="hidden" name="([^"]+)" value="([^"]*)"`)
var still = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// What a person does on the consent page: choose Alice, allow. Returns where the browser is sent.
func consent(address string) (url.Values, error) {
	page, err := still.Get(address)
	if err != nil {
		return nil, err
	}
	text, _ := io.ReadAll(page.Body)
	if page.StatusCode != 200 {
		return nil, fmt.Errorf("%d %s %.200s", page.StatusCode, page.Header.Get("location"), text)
	}
	form := url.Values{"user": {"alice@example.com"}, "decision": {"allow"}}
	for _, field := range hidden.FindAllStringSubmatch(string(text), -1) {
		form.Add(field[1], html.UnescapeString(field[2]))
	}
	target, _, _ := strings.Cut(address, "?")
	request, _ := http.NewRequest("POST", target, strings.NewReader(form.Encode()))
	request.Header.Set("content-type", "application/x-www-form-urlencoded")
	request.Header.Set("cookie", strings.Split(page.Header.Get("set-cookie"), ";")[0])
	sent, err := still.Do(request)
	if err != nil {
		return nil, err
	}
	back, err := url.Parse(sent.Header.Get("location"))
	if err != nil {
		return nil, err
	}
	return back.Query(), nil
}

func control(path string, body any) (map[string]any, error) {
	text, _ := json.Marshal(body)
	request, _ := http.NewRequest("POST", os.Getenv("CONTROL")+path, bytes.NewReader(text))
	request.Header.Set("authorization", "Bearer "+os.Getenv("CONTROL_TOKEN"))
	request.Header.Set("content-type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	var told map[string]any
	err = json.NewDecoder(answer.Body).Decode(&told)
	return told, err
}

// Posts a form to an endpoint that the library has no function for.
func post(endpoint string, form url.Values) (map[string]any, error) {
	answer, err := http.PostForm(endpoint, form)
	if err != nil {
		return nil, err
	}
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != 200 {
		return nil, fmt.Errorf("%d %s", answer.StatusCode, text)
	}
	told := map[string]any{}
	_ = json.Unmarshal(text, &told)
	return told, nil
}

func main() {
	const oidcName, name = "go-oidc 3.21.0", "golang.org/x/oauth2 0.38.0"
	provider, err := oidc.NewProvider(ctx, issuer)
	flow(oidcName, "OIDC discovery", func() error { return err })
	if err != nil {
		return
	}
	var more struct {
		Introspection string `json:"introspection_endpoint"`
		Revocation    string `json:"revocation_endpoint"`
	}
	_ = provider.Claims(&more)

	styles := map[string]oauth2.AuthStyle{"Basic": oauth2.AuthStyleInHeader, "form": oauth2.AuthStyleInParams}
	for how, style := range styles {
		flow(name, "client_credentials by "+how, func() error {
			config := clientcredentials.Config{ClientID: "odd-secret", ClientSecret: os.Getenv("ODD_SECRET"),
				TokenURL: provider.Endpoint().TokenURL, Scopes: []string{"read:documents"}, AuthStyle: style}
			token, err := config.Token(ctx)
			if err != nil {
				return err
			}
			return must(token.Extra("scope") == "read:documents", "another scope")
		})
	}

	whole := func(id, secret string) (*oauth2.Token, oauth2.Config, error) {
		config := oauth2.Config{ClientID: id, ClientSecret: secret, Endpoint: provider.Endpoint(), RedirectURL: callback,
			Scopes: []string{"openid", "email", "offline_access"}}
		verifier := oauth2.GenerateVerifier()
		back, err := consent(config.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier), oidc.Nonce("n-1")))
		if err != nil {
			return nil, config, err
		}
		token, err := config.Exchange(ctx, back.Get("code"), oauth2.VerifierOption(verifier))
		if err != nil {
			return nil, config, err
		}
		raw, _ := token.Extra("id_token").(string)
		proof, err := provider.Verifier(&oidc.Config{ClientID: id}).Verify(ctx, raw)
		if err != nil {
			return nil, config, err
		}
		if err := must(proof.Nonce == "n-1" && back.Get("state") == "state", "another nonce or state"); err != nil {
			return nil, config, err
		}
		if err := proof.VerifyAccessToken(token.AccessToken); err != nil && proof.AccessTokenHash != "" {
			return nil, config, err
		}
		info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
		if err != nil {
			return nil, config, err
		}
		if err := must(info.Email == "alice@example.com" && info.Subject == proof.Subject, "another user"); err != nil {
			return nil, config, err
		}
		fresh, err := config.TokenSource(ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
		if err != nil {
			return nil, config, err
		}
		return fresh, config, must(fresh.RefreshToken != token.RefreshToken, "the same refresh token")
	}
	flow(name+" with go-oidc", "code, ID token, userinfo, refresh, introspection, revocation", func() error {
		secret := os.Getenv("WEB_SECRET")
		fresh, _, err := whole("web", secret)
		if err != nil {
			return err
		}
		client := url.Values{"client_id": {"web"}, "client_secret": {secret}, "token": {fresh.AccessToken}}
		told, err := post(more.Introspection, client)
		if err != nil || told["active"] != true {
			return fmt.Errorf("not active: %v %v", told, err)
		}
		client.Set("token", fresh.RefreshToken)
		if _, err = post(more.Revocation, client); err != nil {
			return err
		}
		client.Set("token", fresh.AccessToken)
		told, err = post(more.Introspection, client)
		return errors.Join(err, must(told["active"] == false, "still active"))
	})
	flow(name+" with go-oidc", "public client: code, ID token, userinfo, refresh, revocation", func() error {
		fresh, _, err := whole("spa", "")
		if err != nil {
			return err
		}
		_, err = post(more.Revocation, url.Values{"client_id": {"spa"}, "token": {fresh.RefreshToken}})
		return err
	})
	flow(name, "device authorization", func() error {
		config := oauth2.Config{ClientID: "spa", Endpoint: provider.Endpoint(), Scopes: []string{"openid"}}
		device, err := config.DeviceAuth(ctx)
		if err != nil {
			return err
		}
		if _, err := consent(device.VerificationURIComplete); err != nil {
			return err
		}
		token, err := config.DeviceAccessToken(ctx, device)
		if err != nil {
			return err
		}
		return must(token.Extra("id_token") != nil, "no ID token")
	})
	flow(name, "token exchange", func() error {
		config := clientcredentials.Config{ClientID: os.Getenv("AGENT_ID"), ClientSecret: os.Getenv("AGENT_SECRET"),
			TokenURL: provider.Endpoint().TokenURL}
		own, err := config.Token(ctx)
		if err != nil {
			return err
		}
		config.EndpointParams = url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"},
			"subject_token": {own.AccessToken}, "subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"},
			"resource": {api}}
		token, err := config.Token(ctx)
		if err != nil {
			return err
		}
		return must(token.Extra("issued_token_type") != nil, "no issued_token_type")
	})
	flow(oidcName, "access token, across a rotation of the keys", func() error {
		config := clientcredentials.Config{ClientID: os.Getenv("AGENT_ID"), ClientSecret: os.Getenv("AGENT_SECRET"),
			TokenURL: provider.Endpoint().TokenURL, EndpointParams: url.Values{"resource": {api}}}
		verifier := provider.Verifier(&oidc.Config{ClientID: api, SupportedSigningAlgs: []string{"RS256", "ES256"}})
		for range 2 {
			token, err := config.Token(ctx)
			if err != nil {
				return err
			}
			if _, err := verifier.Verify(ctx, token.AccessToken); err != nil {
				return err
			}
			if _, err := control("/keys", map[string]any{"algorithm": "ES256"}); err != nil {
				return err
			}
		}
		_, err := verifier.Verify(ctx, "a.b.c")
		return must(err != nil, "accepted rubbish")
	})
}
