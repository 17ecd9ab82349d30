//! The two wires side by side: all that differs between them, but for what a question and a reply look
//! like, which each has in its own folder.

use super::openai::Habits;
use super::price::PriceTable;
use super::retry::Fault;
use super::{Call, Delta, Reply, anthropic, openai};
use hyper::body::Bytes;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderName};
use serde_json::Value;
use team::{Failure, Usage};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    Anthropic,
    OpenAi,
}

/// A reply as far as it came.
pub(super) enum Assembly {
    Anthropic(anthropic::Assembly),
    OpenAi(openai::Assembly),
}

impl Wire {
    /// Where questions go, from what was configured. Anthropic's version may be in it or not. The
    /// others put theirs where they like, so that only a bare host gets one.
    pub(super) fn url(self, base: &Url) -> Url {
        let mut url = base.clone();
        let path = base.path().trim_end_matches('/');
        let path = match self {
            Wire::Anthropic => format!("{}/v1/messages", path.strip_suffix("/v1").unwrap_or(path)),
            Wire::OpenAi if path.is_empty() => "/v1/chat/completions".to_owned(),
            Wire::OpenAi if path.ends_with("/chat/completions") => path.to_owned(),
            Wire::OpenAi => format!("{path}/chat/completions"),
        };
        url.set_path(&path);
        url
    }

    pub(super) fn fixed_headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Wire::Anthropic => &[("anthropic-version", anthropic::VERSION)],
            // Routers show it to whoever pays.
            Wire::OpenAi => &[("x-title", "Baton")],
        }
    }

    pub(super) fn key_header(self, key: &str) -> (HeaderName, String) {
        match self {
            Wire::Anthropic => (HeaderName::from_static("x-api-key"), key.to_owned()),
            Wire::OpenAi => (AUTHORIZATION, format!("Bearer {key}")),
        }
    }

    pub(super) fn body(
        self,
        model: &str,
        call: &Call<'_>,
        habits: Habits,
    ) -> Result<Bytes, Failure> {
        match self {
            Wire::Anthropic => anthropic::request::body(model, call),
            Wire::OpenAi => openai::request::body(model, call, habits),
        }
    }

    /// For the reply to a question of so many bytes and messages.
    pub(super) fn assembly(self, question_bytes: usize, place: usize) -> Assembly {
        match self {
            Wire::Anthropic => Assembly::Anthropic(anthropic::Assembly::default()),
            Wire::OpenAi => Assembly::OpenAi(openai::Assembly::new(question_bytes, place)),
        }
    }

    /// Other habits after a refusal with these words, if they may help.
    pub(super) fn learn(self, habits: Habits, said: &str) -> Option<Habits> {
        match self {
            Wire::Anthropic => None,
            Wire::OpenAi => habits.learn(said),
        }
    }
}

type On<'a> = &'a mut (dyn FnMut(Delta) + Send);

impl Assembly {
    pub(super) fn event(&mut self, data: &str, on: On<'_>) -> Result<(), Fault> {
        match self {
            Assembly::Anthropic(it) => it.event(data, on),
            Assembly::OpenAi(it) => it.event(data, on),
        }
    }

    pub(super) fn document(&mut self, bytes: &[u8], on: On<'_>) -> Result<(), Fault> {
        match self {
            Assembly::Anthropic(it) => it.document(bytes, on),
            Assembly::OpenAi(it) => it.document(bytes, on),
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        match self {
            Assembly::Anthropic(it) => it.is_complete(),
            Assembly::OpenAi(it) => it.is_complete(),
        }
    }

    /// Whether nothing of the content is missing, should the stream end here.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Assembly::Anthropic(it) => it.is_complete(),
            Assembly::OpenAi(it) => it.is_whole(),
        }
    }

    pub(super) fn content_bytes(&self) -> usize {
        match self {
            Assembly::Anthropic(it) => it.content_bytes(),
            Assembly::OpenAi(it) => it.content_bytes(),
        }
    }

    pub(super) fn usage(&self, prices: Option<&PriceTable>) -> Option<(Usage, Value)> {
        match self {
            Assembly::Anthropic(it) => it.usage(prices),
            Assembly::OpenAi(it) => it.usage(prices),
        }
    }

    pub(super) fn finish(self, prices: Option<&PriceTable>) -> Reply {
        match self {
            Assembly::Anthropic(it) => it.finish(prices),
            Assembly::OpenAi(it) => it.finish(prices),
        }
    }
}
