//! What servers of this wire differ in, learned from what they refuse. Each habit changes at most once,
//! so that asking anew ends.

use reqwest::Url;

/// How the length of a reply is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum LengthField {
    MaxTokens,
    MaxCompletionTokens,
    /// The server's own limit holds.
    None,
}

/// How one server wants to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) struct Habits {
    pub(super) length: LengthField,
    /// `stream_options` asks for the counts, which else don't come in a stream.
    pub(super) asks_counts: bool,
    /// What the model thought goes back to it with the calls that it led to.
    pub(super) echoes_thoughts: bool,
    /// Some models take tools on this wire only if they are told not to think.
    pub(super) forbids_thinking: bool,
    has_learned_length: bool,
}

impl Habits {
    pub(in crate::model) fn of(url: &Url) -> Habits {
        // OpenAI's own models take the new name alone; most others know the old one alone.
        let is_own = url.host_str() == Some("api.openai.com");
        Habits {
            length: if is_own { LengthField::MaxCompletionTokens } else { LengthField::MaxTokens },
            asks_counts: true,
            echoes_thoughts: true,
            forbids_thinking: false,
            has_learned_length: false,
        }
    }

    /// Habits that answer what a server refused with these words; None where none does.
    pub(in crate::model) fn learn(self, said: &str) -> Option<Habits> {
        let said = said.to_ascii_lowercase();
        let names = |words: &[&str]| words.iter().any(|it| said.contains(it));
        if names(&["stream_options", "include_usage"]) {
            return self.asks_counts.then_some(Habits { asks_counts: false, ..self });
        }
        if names(&["reasoning_effort"]) {
            let would_help = names(&["none"]) && !self.forbids_thinking;
            return would_help.then_some(Habits { forbids_thinking: true, ..self });
        }
        let wants_thoughts = names(&["must be passed back", "missing `reasoning_content`"]);
        if names(&["reasoning", "thinking_blocks", "extra_content"]) && !wants_thoughts {
            return self.echoes_thoughts.then_some(Habits { echoes_thoughts: false, ..self });
        }
        let is_about_length = names(&["max_tokens", "max_completion_tokens", "completion tokens"])
            || is_too_long(&said);
        if !is_about_length || self.length == LengthField::None {
            return None;
        }
        let other = match self.length {
            LengthField::MaxTokens if names(&["max_completion_tokens"]) => {
                LengthField::MaxCompletionTokens
            }
            LengthField::MaxCompletionTokens if names(&["max_tokens"]) => LengthField::MaxTokens,
            LengthField::MaxTokens | LengthField::MaxCompletionTokens | LengthField::None => {
                LengthField::None
            }
        };
        // "max_tokens or max_completion_tokens is too large": neither name would help.
        let is_size = names(&["too large", "at most", "exceed", "maximum", "less than"]);
        let length = if is_size || self.has_learned_length { LengthField::None } else { other };
        Some(Habits { length, has_learned_length: true, ..self })
    }
}

/// Whether these words, in lower case, say that a question doesn't fit into the model's window.
pub(in crate::model) fn is_too_long(said: &str) -> bool {
    const WORDS: [&str; 9] = [
        "context_length",
        "context length",
        "context size",
        "context window",
        "exceed_context",
        "context the overflow",
        "prompt is too long",
        "too many tokens",
        "input length",
    ];
    WORDS.iter().any(|it| said.contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Habits {
        Habits::of(&Url::parse(url).unwrap())
    }

    fn lengths(url: &str, said: &[&str]) -> Vec<LengthField> {
        let mut habits = of(url);
        let mut all = Vec::new();
        for it in said {
            match habits.learn(it) {
                Some(next) => habits = next,
                None => break,
            }
            all.push(habits.length);
        }
        all
    }

    #[test]
    fn the_name_of_the_limit_is_learned_and_a_limit_that_is_too_large_is_left_out() {
        use LengthField::{MaxCompletionTokens, MaxTokens, None};
        let new = "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
                   'max_completion_tokens' instead.";
        let old = "Extra inputs are not permitted: max_completion_tokens. Did you mean max_tokens?";
        let large = "max_tokens is too large: 32000. This model supports at most 16384 completion \
                     tokens, whereas you provided 32000.";
        let vllm = "'max_tokens' or 'max_completion_tokens' is too large: 32000. This model's maximum \
                    context length is 8192 tokens and your request has 2000 input tokens";
        let older = "This model's maximum context length is 8192 tokens. However, you requested 40000 \
                     tokens (8000 in the messages, 32000 in the completion).";
        let local = "http://127.0.0.1:8000/v1";
        assert_eq!(of("https://api.openai.com/v1").length, MaxCompletionTokens);
        assert_eq!(lengths(local, &[new, large]), [MaxCompletionTokens, None]);
        assert_eq!(lengths("https://api.openai.com/v1", &[old]), [MaxTokens]);
        assert_eq!(lengths(local, &[large, large]), [None]);
        assert_eq!(lengths(local, &[vllm, vllm]), [None]);
        assert_eq!(lengths(local, &[older, older]), [None]);
        // A server that wants neither, or both by turns, is not asked for ever.
        assert_eq!(lengths(local, &[new, old, new]), [MaxCompletionTokens, None]);
        assert_eq!(lengths(local, &["no such model"]), []);
    }

    #[test]
    fn what_a_server_does_not_know_is_left_out_once() {
        let first = of("http://127.0.0.1:1/v1");
        let plain = first.learn("Unknown field: stream_options").unwrap();
        assert!(first.asks_counts && !plain.asks_counts);
        assert_eq!(plain.learn("Unknown field: stream_options"), None);
        let mute = first.learn("messages.1.reasoning_content: Extra inputs are not permitted");
        let mute = mute.unwrap();
        assert!(first.echoes_thoughts && !mute.echoes_thoughts);
        assert_eq!(
            mute.learn("messages.1.reasoning_content: Extra inputs are not permitted"),
            None
        );
        // The other way round there is nothing to leave out.
        let tools = "Function tools with reasoning_effort are not supported for gpt-6-sol in \
                     /v1/chat/completions. To use function tools, use /v1/responses or set \
                     reasoning_effort to 'none'.";
        let calm = first.learn(tools).unwrap();
        assert!(!first.forbids_thinking && calm.forbids_thinking && calm.echoes_thoughts);
        assert_eq!(calm.learn("'reasoning_effort' does not support 'none' with this model."), None);
        let wants = "The reasoning_content in the thinking mode must be passed back to the API.";
        assert_eq!(first.learn(wants), None);
    }
}
