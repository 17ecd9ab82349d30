//! Finds a model's server on this machine where nothing is configured: asks the usual ports of the
//! loopback which models they serve, all at once and briefly. No other host is ever asked, and no server
//! of another person on this machine: it would get to read the files.

use super::client::install_crypto;
use crate::clean;
use crate::config::{Config, ModelConfig};
use futures_util::future::join_all;
use serde::Deserialize;
use std::time::Duration;

const CONNECT_MAX: Duration = Duration::from_millis(500);
const ANSWER_MAX: Duration = Duration::from_secs(2);
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
const NAME_CHARS_MAX: usize = 200;
/// Below are the accounts of the system and its services.
const PERSONS_FROM_UID: u32 = 1_000;

/// A server that answered, and the model that was taken of those it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub base_url: String,
    pub model: String,
    /// How many others it has.
    pub others: usize,
    window_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Listing {
    data: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
    /// vLLM says here how much the model can hold.
    max_model_len: Option<u64>,
}

impl Found {
    /// For the person, in one line.
    pub fn sentence(&self) -> String {
        let others = match self.others {
            0 => String::new(),
            1 => ", of two".to_owned(),
            more => format!(", of {}", more + 1),
        };
        format!(
            "no model is configured: taking {}{others} from the server at {} (write [model] to choose)",
            self.model, self.base_url
        )
    }
}

/// Where a role has no model: looks for one and puts it into the configuration. Gives what it took.
pub async fn fill_in(config: &mut Config) -> Option<Found> {
    if config.models_in_use().iter().all(|it| it.1.is_some()) {
        return None;
    }
    let found = find(&config.local_ports).await?;
    let window = found.window_tokens;
    config.model = Some(ModelConfig::at(found.base_url.clone(), found.model.clone(), window));
    Some(found)
}

/// The first port, in the order given, that answers like a server of models.
async fn find(ports: &[u16]) -> Option<Found> {
    if ports.is_empty() {
        return None;
    }
    install_crypto();
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_MAX)
        .timeout(ANSWER_MAX)
        .build()
        .ok()?;
    let all = join_all(ports.iter().map(|port| ask(&http, *port))).await;
    all.into_iter().flatten().next()
}

async fn ask(http: &reqwest::Client, port: u16) -> Option<Found> {
    if let Ok(table) = tokio::fs::read_to_string("/proc/net/tcp").await
        && !is_ours(&table, port, rustix::process::getuid().as_raw())
    {
        return None;
    }
    let base_url = format!("http://127.0.0.1:{port}/v1");
    let mut response = http.get(format!("{base_url}/models")).send().await.ok()?;
    if response.status() != reqwest::StatusCode::OK {
        return None;
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if ANSWER_BYTES_MAX < bytes.len() + chunk.len() {
            return None;
        }
        bytes.extend_from_slice(&chunk);
    }
    let listing: Listing = serde_json::from_slice(&bytes).ok()?;
    choose(base_url, listing)
}

/// Whether whoever listens on this port is this user, or no person at all, as the kernel's table of
/// sockets says. A line is `0: 0100007F:2CAA 00000000:0000 0A ... UID ...`, with 0A for listening.
fn is_ours(table: &str, port: u16, me: u32) -> bool {
    let suffix = format!(":{port:04X}");
    let mut owners = table.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let listens = fields.get(1)?.ends_with(&suffix) && *fields.get(3)? == "0A";
        listens.then(|| fields.get(7)?.parse().ok())?
    });
    owners.all(|it: u32| it == me || it < PERSONS_FROM_UID)
}

/// The first that can talk.
fn choose(base_url: String, listing: Listing) -> Option<Found> {
    let mutes = ["embed", "rerank", "whisper", "bge-"];
    let talks = |it: &Listed| {
        let name = it.id.to_ascii_lowercase();
        let is_name = !name.trim().is_empty() && name.chars().count() <= NAME_CHARS_MAX;
        // It is shown, and sent back as it is.
        is_name && clean::line(&it.id) == it.id && !mutes.iter().any(|mute| name.contains(mute))
    };
    let mut talking = listing.data.into_iter().filter(talks);
    let first = talking.next()?;
    let others = talking.count();
    Some(Found { base_url, model: first.id, others, window_tokens: first.max_model_len })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(text: &str) -> Option<Found> {
        choose("http://127.0.0.1:1/v1".to_owned(), serde_json::from_str(text).ok()?)
    }

    #[test]
    fn the_first_model_that_can_talk_is_taken_and_said() {
        let text = r#"{"object":"list","data":[{"id":"nomic-embed-text:latest","object":"model"},
            {"id":"qwen3-coder:30b"},{"id":"gemma3:27b","max_model_len":8192}]}"#;
        let found = chosen(text).unwrap();
        assert_eq!((found.model.as_str(), found.others), ("qwen3-coder:30b", 1));
        assert_eq!(
            found.sentence(),
            "no model is configured: taking qwen3-coder:30b, of two from the server at \
             http://127.0.0.1:1/v1 (write [model] to choose)"
        );
        let vllm = chosen(r#"{"data":[{"id":"m","max_model_len":8192}]}"#).unwrap();
        assert_eq!(vllm.window_tokens, Some(8_192));
    }

    #[test]
    fn a_server_of_another_person_is_not_asked() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n   \
            0: 0100007F:2CAA 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 1 1\n   \
            1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000   998        0 2 1\n   \
            2: 0100007F:1F40 0100007F:2CAA 01 00000000:00000000 00:00000000 00000000  1002        0 3 1\n";
        let ours = |port| is_ours(table, port, 1_001);
        assert!(ours(11_434) && ours(8_080));
        assert!(!is_ours(table, 11_434, 1_000));
        // Not listening, or nobody there.
        assert!(ours(8_000) && ours(1_234));
    }

    #[test]
    fn what_is_no_list_of_models_is_passed_over() {
        for text in [
            r#"{"data":[]}"#,
            r#"{"data":[{"id":""}]}"#,
            r#"{"data":[{"id":"a\u001b[31mb"}]}"#,
            r#"{"data":[{"id":"text-embedding-3"}]}"#,
            r#"{"models":["a"]}"#,
            "[]",
        ] {
            assert_eq!(chosen(text), None, "{text}");
        }
    }
}
