//! What must not get through, and what must.

use super::{REDACTED, Redactor, line, text};

#[test]
fn what_a_terminal_acts_on_is_written_out() {
    let cases = [
        ("plain ünïcödé 漢字 🙂", "plain ünïcödé 漢字 🙂"),
        ("a\tb\nc", "a b c"),
        ("a\r\nb\rc", "a b c"),
        ("\x1b[31mred\x1b[0m", "\\u{1b}[31mred\\u{1b}[0m"),
        ("\x1b]0;title\x07", "\\u{1b}]0;title\\u{7}"),
        ("c1 \u{9b}31m \u{85}", "c1 \\u{9b}31m \\u{85}"),
        ("del \x7f nul \0", "del \\u{7f} nul \\u{0}"),
        ("if admin\u{202e} }\u{2066}", "if admin\\u{202e} }\\u{2066}"),
        ("pass\u{200b}word\u{feff}\u{2060}", "pass\\u{200b}word\\u{feff}\\u{2060}"),
        ("tag\u{e0041}\u{e007f}", "tag\\u{e0041}\\u{e007f}"),
        ("hidden\u{e0100}\u{fe01}", "hidden\\u{e0100}\\u{fe01}"),
        ("soft\u{ad}hyphen\u{3164}", "soft\\u{ad}hyphen\\u{3164}"),
        ("sep\u{2028}\u{2029}", "sep\\u{2028}\\u{2029}"),
        ("heart \u{2764}\u{fe0f}", "heart \u{2764}\u{fe0f}"),
        ("row \u{2764}\u{fe0f}\u{fe0f}", "row \u{2764}\u{fe0f}\\u{fe0f}"),
    ];
    for (given, expected) in cases {
        assert_eq!(line(given), expected);
    }
    assert_eq!(text("a\tb\r\nc\rd\x1b"), "a\tb\nc\\u{d}d\\u{1b}");
}

#[test]
fn nothing_unsafe_is_left_whatever_comes() {
    for code in 0..=0x10_ffff {
        let Some(it) = char::from_u32(code) else {
            continue;
        };
        let safe = text(&format!("a{it}b"));
        let kept = safe.contains(it);
        let harmless = matches!(it, '\n' | '\t' | '\u{fe0f}') || !super::is_unsafe(it);
        assert_eq!(kept, harmless, "U+{code:04X}");
    }
}

/// One of each kind, none of them real. Written in two parts, so that nobody's scanner takes this
/// file for a leak.
fn kinds() -> Vec<String> {
    let word = "Ab3dEf6hIj9lMn2pQr5tUv8xYz1B_d-FgHiJkLm4oP7rStUvWx0z";
    let plain = "Ab3dEf6hIj9lMn2pQr5tUv8xYz1BCdEFgHiJkLm4oP7rStUvWx0zAb3dEf6hIj9lMn2p";
    let hex = "0123456789abcdef0123456789abcdef";
    let mut kinds: Vec<String> = [
        "sk-ant-api03-",
        "sk-proj-",
        "sk-or-v1-",
        "sk-svcacct-",
        "nvapi-",
        "github_pat_",
        "glpat-",
        "gldt-",
        "glrt-",
        "xoxb-",
        "xoxp-",
        "xoxa-",
        "xoxr-",
        "xapp-",
        "AIza",
        "ya29.",
        "GOCSPX-",
        "hvs.",
        "dckr_pat_",
        "sq0atp-",
        "pypi-AgE",
        "glsa_",
        "sk-",
    ]
    .iter()
    .map(|it| format!("{it}{word}"))
    .collect();
    kinds.extend(
        [
            "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "npm_", "lin_api_", "sk_live_", "rk_test_",
            "whsec_", "hf_", "gsk_", "xai-", "pplx-", "r8_", "EAAC", "phc_",
        ]
        .iter()
        .map(|it| format!("{it}{plain}")),
    );
    kinds.extend(["dop_v1_", "shpat_", "key-", "pul-"].map(|it| format!("{it}{hex}")));
    kinds.extend(["AKIA", "ASIA", "NRAK-"].map(|it| format!("{it}IOSFODNN7EXAMPLE7QRS")));
    kinds.push(format!("SG.{}.{plain}", &word[..22]));
    kinds.push(format!("eyJhbGciOiJIUzI1NiJ9.{plain}.{word}"));
    kinds.push(format!("AGE-SECRET-KEY-1{}", "QPZRY9X8GF2TVDW0S3JN".repeat(3)));
    for name in ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "] {
        let lines = format!("{plain}\n{plain}\n{plain}==");
        kinds.push(format!(
            "-----BEGIN {name}PRIVATE KEY-----\n{lines}\n-----END {name}PRIVATE KEY-----"
        ));
    }
    kinds
}

fn streamed(redactor: &Redactor, chunks: &[&[u8]]) -> String {
    let mut stream = redactor.stream();
    let mut clean = Vec::new();
    for chunk in chunks {
        clean.extend(stream.push(chunk));
    }
    clean.extend(stream.finish());
    String::from_utf8(clean).unwrap()
}

/// The secret in a text, cut at every byte, must leave the text and nothing of itself.
fn never_gets_through(redactor: &Redactor, secret: &str) {
    let whole = format!("the key is \"{secret}\", (ünd) so on");
    let expected = format!("the key is \"{REDACTED}\", (ünd) so on");
    for cut in 0..=whole.len() {
        let (a, b) = whole.as_bytes().split_at(cut);
        assert_eq!(streamed(redactor, &[a, b]), expected, "cut at {cut}");
    }
    let bytes: Vec<&[u8]> = whole.as_bytes().chunks(1).collect();
    assert_eq!(streamed(redactor, &bytes), expected, "byte by byte");
    assert_eq!(redactor.redact(&whole), expected);
    // At the very end of a text there is nothing after it that would tell where it ends.
    assert_eq!(redactor.redact(&format!("key={secret}")), format!("key={REDACTED}"));
}

#[test]
fn forty_kinds_of_keys_are_known_by_their_shape_wherever_they_are_cut() {
    let kinds = kinds();
    assert!(40 <= kinds.len(), "{}", kinds.len());
    let redactor = Redactor::new([]);
    for secret in &kinds {
        never_gets_through(&redactor, secret);
    }
}

#[test]
fn known_values_are_found_in_every_form() {
    let value = "pa\"ss/wörd+of=mine?7";
    let redactor = Redactor::new([value, "short"]);
    let percent = "pa%22ss%2Fw%C3%B6rd%2Bof%3Dmine%3F7";
    let forms = [
        value.to_owned(),
        percent.to_owned(),
        percent.to_lowercase(),
        "pa\\\"ss/wörd+of=mine?7".to_owned(),
    ];
    for form in &forms {
        never_gets_through(&redactor, form);
    }
    // Base64 of a text that holds it, at every offset: nothing that can be decoded to it is left.
    for before in 0..6 {
        for url_safe in [false, true] {
            let whole = format!("{}{value}{}", "u".repeat(before), "z".repeat(before % 2));
            let encoded = base64(whole.as_bytes(), url_safe);
            for cut in 0..=encoded.len() {
                let (a, b) = encoded.as_bytes().split_at(cut);
                let clean = streamed(&redactor, &[a, b]);
                assert!(clean.contains(REDACTED), "{before} {url_safe}: {clean}");
                assert!(clean.len() < REDACTED.len() + 16, "{before} {url_safe}: {clean}");
            }
        }
    }
    // Too short to be told from ordinary text.
    assert_eq!(redactor.redact("a short text"), "a short text");
    assert!(!format!("{redactor:?}").contains("ss"), "it never prints what it knows");
}

/// Written a second time, to have something to compare with.
fn base64(bytes: &[u8], url_safe: bool) -> String {
    let bits: Vec<u8> =
        bytes.iter().flat_map(|byte| (0..8).rev().map(move |n| byte >> n & 1)).collect();
    let mut text: String = bits
        .chunks(6)
        .map(|six| {
            let value = six.iter().fold(0, |sum, bit| sum << 1 | bit) << (6 - six.len());
            char::from(match (value, url_safe) {
                (0..26, _) => b'A' + value,
                (26..52, _) => b'a' + value - 26,
                (52..62, _) => b'0' + value - 52,
                (62, false) => b'+',
                (62, true) => b'-',
                (_, false) => b'/',
                (_, true) => b'_',
            })
        })
        .collect();
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

#[test]
fn one_known_value_that_begins_another_leaves_no_rest() {
    let redactor = Redactor::new(["secret-value", "secret-value-and-more"]);
    never_gets_through(&redactor, "secret-value-and-more");
    never_gets_through(&redactor, "secret-value");
}

#[test]
fn ordinary_text_passes_unchanged() {
    let redactor = Redactor::new(["a-known-secret"]);
    let texts = [
        "a task-list-of-many-things-to-do-12345 and a desk-1234567890123456789012",
        "fn key_of(&self) -> sk { AKIA } // ghp_short, eyJhbGciOiJIUzI1NiJ9 alone, xoxb-",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "if text.contains(\"-----BEGIN PRIVATE KEY-----\") { return Err(\"a key\") }",
        "commit 0123456789abcdef0123456789abcdef01234567, tree aa11",
        "Authorization: Bearer $TOKEN; a-known-secre",
        "sk-",
        "",
        "-----BEGIN RSA PRIVATE KEY-----",
    ];
    for text in texts {
        assert_eq!(redactor.redact(text), text);
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(streamed(&redactor, &bytes), text);
    }
}

#[test]
fn a_key_without_an_end_is_swallowed_without_being_held() {
    let redactor = Redactor::new([]);
    let mut stream = redactor.stream();
    let mut clean = stream.push(b"sk-ant-api03-");
    let mut held_max = 0;
    for _ in 0..10_000 {
        clean.extend(stream.push(b"abcdefghij0123456789"));
        held_max = held_max.max(stream.held.len());
    }
    clean.extend(stream.push(b" end"));
    clean.extend(stream.finish());
    assert_eq!(String::from_utf8(clean).unwrap(), format!("{REDACTED} end"));
    assert!(held_max < 64, "{held_max}");
}

#[test]
fn what_follows_a_telling_name_is_taken_out_and_the_name_stays() {
    let redactor = Redactor::new([]);
    let cases = [
        ("Authorization: Bearer abcdef0123456789\r\n", "Authorization: Bearer [redacted]\r\n"),
        ("x-api-key: abcdef0123456789;", "x-api-key: [redacted];"),
        (
            "https://hooks.slack.com/services/T000/B000/abcdefghijklmnop done",
            "https://hooks.slack.com/services/[redacted] done",
        ),
    ];
    for (given, expected) in cases {
        assert_eq!(redactor.redact(given), expected);
    }
}
