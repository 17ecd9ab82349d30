//! Addresses and what is said of faults.

use super::*;

fn open(base_url: &str, key: Option<&str>) -> Result<Client, Failure> {
    Client::open(Wire::Anthropic, base_url, key.map(SecretString::from), Patience::default())
}

#[test]
fn the_address_may_have_its_version_or_not() {
    for base in ["http://127.0.0.1:1/x", "http://127.0.0.1:1/x/", "http://127.0.0.1:1/x/v1/"] {
        let client = open(base, Some("k")).unwrap();
        assert_eq!(client.url().as_str(), "http://127.0.0.1:1/x/v1/messages");
    }
    let client = open("https://api.anthropic.com", Some("k")).unwrap();
    assert_eq!(client.url().as_str(), "https://api.anthropic.com/v1/messages");
}

#[test]
fn bad_addresses_are_refused() {
    for (base, why) in [
        ("", "relative URL"),
        ("api.anthropic.com", "relative URL"),
        ("ftp://a", "neither http nor https"),
        ("https://u:secret@a", "user name or password"),
        ("https://a?x=secret", "it holds a ?"),
        ("https://u:secret@a b", "invalid"),
        ("https://a#x", "it holds a ?"),
    ] {
        let failure = open(base, None).map(|_| ()).unwrap_err();
        assert_eq!(failure.code, Code::Config, "{base}");
        assert!(failure.text.contains(why), "{base}: {failure}");
        assert!(!failure.to_string().contains("secret"), "{failure}");
    }
}

#[test]
fn a_key_travels_encrypted_or_not_at_all() {
    for base in ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1", "https://a.test"] {
        assert!(open(base, Some("k")).is_ok(), "{base}");
    }
    for base in ["http://10.0.0.1", "http://a.test", "http://localhost.a.test"] {
        let failure = open(base, Some("k")).map(|_| ()).unwrap_err();
        assert!(failure.text.contains("unencrypted"), "{failure}");
        assert!(open(base, None).is_ok(), "{base}");
    }
}

#[test]
fn the_provider_is_quoted_safely() {
    let client = open("http://127.0.0.1:1", Some("sk-test-1")).unwrap();
    let long = "y".repeat(1_000);
    let text = format!("no sk-test-1\u{1b}[31m\u{202e}\n{long}");
    let Fault::Again(again) = client.clean(Fault::broken(text)) else {
        panic!();
    };
    let shown = "no [key]\\u{1b}[31m\\u{202e} yyy";
    assert!(again.why.starts_with(shown), "{}", again.why);
    assert!(again.why.chars().count() < QUOTE_CHARS_MAX + 20);
}

#[test]
fn the_other_wires_address_stays_as_its_server_wants_it() {
    for (base, url) in [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434/v1/chat/completions"),
        ("http://127.0.0.1:11434/", "http://127.0.0.1:11434/v1/chat/completions"),
        ("https://a.test/api/v1", "https://a.test/api/v1/chat/completions"),
        ("https://a.test/v1beta/openai/", "https://a.test/v1beta/openai/chat/completions"),
        ("https://a.test/v1/chat/completions", "https://a.test/v1/chat/completions"),
    ] {
        let client = Client::open(Wire::OpenAi, base, None, Patience::default()).unwrap();
        assert_eq!(client.url().as_str(), url);
    }
}
