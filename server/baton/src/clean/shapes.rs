//! What keys look like: a telling beginning, then so many characters of an alphabet.

/// Which bytes may follow the beginning.
#[derive(Clone, Copy)]
pub(super) enum Letters {
    /// `A-Z a-z 0-9`
    Plain,
    /// `A-Z 0-9`
    Upper,
    /// `0-9 a-f A-F`
    Hex,
    /// Plain, `-` and `_`.
    Word,
    /// Word and `.`.
    Dotted,
    /// Plain, `+`, `/`, `=`.
    Base64,
    /// Dotted, `/`, `+`, `=`, `%`, `~`, `!`, `$`, `&`, `*`.
    Value,
}

impl Letters {
    pub(super) fn has(self, byte: u8) -> bool {
        let plain = byte.is_ascii_alphanumeric();
        match self {
            Letters::Plain => plain,
            Letters::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Letters::Hex => byte.is_ascii_hexdigit(),
            Letters::Word => plain || matches!(byte, b'-' | b'_'),
            Letters::Dotted => plain || matches!(byte, b'-' | b'_' | b'.'),
            Letters::Base64 => plain || matches!(byte, b'+' | b'/' | b'='),
            Letters::Value => plain || b"-_./+=%~!$&*".contains(&byte),
        }
    }
}

/// A kind of key.
pub(super) struct Shape {
    pub(super) begins: &'static str,
    pub(super) letters: Letters,
    /// How many letters must follow the beginning.
    pub(super) letters_min: usize,
    /// Dots that must be among them.
    pub(super) dots_min: usize,
    /// The beginning is short enough to stand inside a word by chance: it counts only where a word
    /// begins, and only with a digit among the letters.
    pub(super) alone: bool,
    /// The beginning is shown: it tells which setting it was, and is no part of the secret.
    pub(super) keep: bool,
}

const fn shape(begins: &'static str, letters: Letters, letters_min: usize) -> Shape {
    Shape { begins, letters, letters_min, dots_min: 0, alone: false, keep: false }
}

const fn alone(begins: &'static str, letters: Letters, letters_min: usize) -> Shape {
    Shape { alone: true, ..shape(begins, letters, letters_min) }
}

const fn dotted(begins: &'static str, letters_min: usize, dots_min: usize) -> Shape {
    Shape { dots_min, ..shape(begins, Letters::Dotted, letters_min) }
}

const fn after(begins: &'static str, letters: Letters, letters_min: usize) -> Shape {
    Shape { keep: true, ..shape(begins, letters, letters_min) }
}

use Letters::{Base64, Dotted, Hex, Plain, Upper, Value, Word};

pub(super) const SHAPES: &[Shape] = &[
    // Models.
    shape("sk-ant-", Word, 16),
    shape("sk-proj-", Word, 20),
    shape("sk-or-v1-", Word, 20),
    shape("sk-svcacct-", Word, 20),
    alone("sk-", Word, 20),
    alone("gsk_", Plain, 20),
    alone("xai-", Plain, 20),
    alone("pplx-", Plain, 20),
    alone("hf_", Plain, 20),
    alone("r8_", Plain, 20),
    shape("nvapi-", Word, 20),
    // Clouds.
    shape("AKIA", Upper, 16),
    shape("ASIA", Upper, 16),
    shape("AIza", Word, 35),
    shape("ya29.", Word, 20),
    shape("GOCSPX-", Word, 20),
    shape("dop_v1_", Hex, 32),
    shape("doo_v1_", Hex, 32),
    after("AccountKey=", Base64, 40),
    after("SharedAccessSignature=", Value, 20),
    after("aws_secret_access_key=", Base64, 30),
    after("aws_secret_access_key = ", Base64, 30),
    after("AWS_SECRET_ACCESS_KEY=", Base64, 30),
    shape("hvs.", Word, 20),
    shape("hvb.", Word, 20),
    shape("pul-", Hex, 32),
    // Code.
    shape("ghp_", Plain, 30),
    shape("gho_", Plain, 30),
    shape("ghu_", Plain, 30),
    shape("ghs_", Plain, 30),
    shape("ghr_", Plain, 30),
    shape("github_pat_", Word, 22),
    shape("glpat-", Word, 20),
    shape("gldt-", Word, 20),
    shape("glrt-", Word, 20),
    shape("npm_", Plain, 30),
    shape("pypi-AgE", Word, 30),
    shape("dckr_pat_", Word, 20),
    shape("ATATT3", Value, 30),
    shape("lin_api_", Plain, 30),
    // Messages, mail and money.
    shape("xoxb-", Word, 20),
    shape("xoxp-", Word, 20),
    shape("xoxa-", Word, 20),
    shape("xoxr-", Word, 20),
    shape("xoxs-", Word, 20),
    shape("xapp-", Word, 20),
    after("hooks.slack.com/services/", Value, 20),
    after("discord.com/api/webhooks/", Value, 30),
    dotted("SG.", 40, 1),
    alone("key-", Hex, 32),
    shape("sk_live_", Plain, 16),
    shape("sk_test_", Plain, 16),
    shape("rk_live_", Plain, 16),
    shape("rk_test_", Plain, 16),
    shape("whsec_", Base64, 20),
    shape("shpat_", Hex, 32),
    shape("shpss_", Hex, 32),
    shape("sq0atp-", Word, 20),
    shape("sq0csp-", Word, 20),
    shape("EAAC", Plain, 60),
    // Observability.
    shape("glsa_", Word, 30),
    shape("glc_", Base64, 30),
    shape("NRAK-", Upper, 20),
    shape("sntrys_", Value, 30),
    shape("phc_", Plain, 30),
    // Anything.
    dotted("eyJ", 30, 2),
    shape("AGE-SECRET-KEY-1", Upper, 40),
    after("Authorization: Bearer ", Value, 12),
    after("authorization: Bearer ", Value, 12),
    after("Authorization: Basic ", Base64, 8),
    after("authorization: Basic ", Base64, 8),
    after("x-api-key: ", Dotted, 12),
    after("X-Api-Key: ", Dotted, 12),
];

/// The first lines of private keys; the key's own lines follow.
pub(super) const PRIVATE_KEYS: &[&str] = &[
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN ENCRYPTED PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN EC PRIVATE KEY-----",
    "-----BEGIN DSA PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----",
];
