//! The rehearsal as a model: what it says depends on nothing but the request.

use super::*;
use baton::config::{KeySource, Prices};
use std::path::Path;
use team::Code;

const RESULT: &str = "R2.1 failed\nhead: 0123456789012345678901234567890123456789";

fn fixture() -> std::path::PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join("tests/fixtures/model/two-builds.toml")
}

/// Plays a run to its end; a new server each time when `killed`.
async fn conversation(killed: bool) -> Vec<Message> {
    let mut model = Model::open(&ModelConfig::rehearsal(fixture())).await.unwrap();
    let mut messages = vec![Message::user("Pages overlap.\nbuild: 1 of 3")];
    loop {
        if killed {
            model = Model::open(&ModelConfig::rehearsal(fixture())).await.unwrap();
        }
        let heard = ask_all(&model, &messages, &CancellationToken::new()).await;
        let message = heard.reply().message.clone();
        let results = results(&message, RESULT);
        messages.push(message);
        if !results.blocks.is_empty() {
            messages.push(results);
        } else if messages.len() < 8 {
            messages.push(Message::user("The tests fail.\nbuild: 2 of 3"));
        } else {
            return messages;
        }
    }
}

#[tokio::test]
async fn a_killed_rehearsal_goes_on_with_the_same_words() {
    let messages = conversation(false).await;
    assert_eq!(messages, conversation(true).await);
    let said = serde_json::to_string(&messages).unwrap();
    for words in ["Reading the parser.", "Mended at 0123456789", "[\"R2.1\"]", "Once more."] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(said.contains("The script ends here."));
}

#[tokio::test]
async fn a_rehearsal_says_that_it_is_one_and_costs_nothing() {
    let config = ModelConfig::rehearsal(fixture());
    let model = Model::open(&config).await.unwrap();
    assert_eq!(model.name(), "rehearsal");
    assert!(!model.priced());
    let server = model.rehearsal().unwrap();
    assert!(server.says().contains("no model is running"));
    let heard = ask(&model, "Pages overlap.\nbuild: 1 of 3").await;
    assert_eq!(heard.reply().usage.micros, 0);
    assert_ne!(heard.reply().usage.tokens(), 0);
    // Unless the budget is rehearsed as well.
    let prices = Some(Prices { input: 1.0, output: 1.0, cache_read: None, cache_write: None });
    let model = Model::open(&ModelConfig { prices, ..config }).await.unwrap();
    assert!(model.priced());
    let heard = ask(&model, "Pages overlap.\nbuild: 1 of 3").await;
    assert_eq!(heard.reply().usage.micros, heard.reply().usage.tokens());
}

#[tokio::test]
async fn the_server_ends_with_the_last_model() {
    let model = Model::open(&ModelConfig::rehearsal(fixture())).await.unwrap();
    let url = model.rehearsal().unwrap().base_url.clone();
    let clone = model.clone();
    drop(model);
    assert!(ask(&clone, "build: 1 of 3").await.reply.is_ok());
    drop(clone);
    let orphan = open(&url, patience()).await;
    assert_eq!(ask(&orphan, "a").await.failure().code, Code::Model);
}

#[tokio::test]
async fn a_script_that_is_missing_or_broken_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("broken.toml");
    let failure = Model::open(&ModelConfig::rehearsal(path.clone())).await.unwrap_err();
    assert_eq!(failure.code, Code::Config);
    assert!(failure.text.contains("broken.toml"), "{failure}");
    std::fs::write(&path, "says = \"\"\n[[run]]\nduty = \"cook\"").unwrap();
    let failure = Model::open(&ModelConfig::rehearsal(path)).await.unwrap_err();
    assert!(failure.text.contains("broken.toml: run 1: duty \"cook\""), "{failure}");
}

#[tokio::test]
async fn many_ask_at_once() {
    let model = Model::open(&ModelConfig::rehearsal(fixture())).await.unwrap();
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..120 {
        let model = model.clone();
        asked.spawn(async move { ask(&model, "build: 1 of 3").await.reply });
    }
    let replies = asked.join_all().await;
    assert_eq!(replies.len(), 120);
    let first = replies[0].as_ref().unwrap();
    assert!(replies.iter().all(|it| it.as_ref() == Ok(first)));
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_never_shown() {
    let script = "says = \"\"\nkey = \"sk-right\"\n[[run]]\n[[run.reply]]\ntext = \"Hello.\"";
    let server = play(script).await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    for (key, code) in [("sk-right", None), ("sk-wrong-1", Some(Code::Key))] {
        std::fs::write(&path, format!("{key}\n")).unwrap();
        let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, owner_only).unwrap();
        let mut config = config(&server.base_url);
        config.key = Some(KeySource::File(path.clone()));
        let model = Model::open_with(&config, patience()).await.unwrap();
        let heard = ask(&model, "a").await;
        assert_eq!(heard.reply.as_ref().err().map(|it| it.code), code);
        let shown = format!("{model:?} {:?} {:?}", heard.reply, heard.deltas);
        assert!(!shown.contains(key), "{shown}");
        assert!(!String::from_utf8_lossy(&server.requests().concat()).contains(key));
    }
}
