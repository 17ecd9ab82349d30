//! The way that a class of task goes: through which stages, and before which of them a person is asked.
//!
//! Building, validating and the person's landing are no entries of a list: a way without them has no
//! spelling.

use crate::handoff::{Class, Duty};
use serde::{Deserialize, Serialize};

/// A part of the way, in the order in which they come. Triage is before them all, the landing after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    Design,
    Build,
    Validate,
    Announce,
}

impl Stage {
    pub const ALL: [Stage; 4] = [Stage::Design, Stage::Build, Stage::Validate, Stage::Announce];

    pub fn name(self) -> &'static str {
        match self {
            Stage::Design => "design",
            Stage::Build => "build",
            Stage::Validate => "validate",
            Stage::Announce => "announce",
        }
    }

    /// Whose work it is.
    pub fn duty(self) -> Duty {
        match self {
            Stage::Design => Duty::Design,
            Stage::Build => Duty::Build,
            Stage::Validate => Duty::Validate,
            Stage::Announce => Duty::Announce,
        }
    }
}

/// Who lets a task into a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gate {
    Open,
    /// A person is asked first.
    Person,
}

/// The way of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stages {
    /// `None`: it isn't designed.
    pub design: Option<Gate>,
    pub build: Gate,
    pub validate: Gate,
    /// `None`: it isn't announced.
    pub announce: Option<Gate>,
}

/// What is wrong with a list of stages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadStages {
    /// Index of the word that is wrong; `None`: something is missing.
    pub at: Option<usize>,
    pub text: String,
}

const PERSON: &str = "human:";

impl Stages {
    /// Built and validated, and nothing else.
    pub const SHORT: Stages =
        Stages { design: None, build: Gate::Open, validate: Gate::Open, announce: None };

    /// Reads a list such as `design`, `human:build`, `build`, `validate`: stages in their order, each
    /// at most once, each with its gate right before it.
    pub fn parse<T: AsRef<str>>(words: &[T]) -> Result<Stages, BadStages> {
        let mut gates: [Option<Gate>; 4] = [None; 4];
        let mut pending: Option<(usize, Stage)> = None;
        let mut last = None;
        for (at, word) in words.iter().enumerate() {
            let word = word.as_ref();
            let bad = |text: String| BadStages { at: Some(at), text };
            let name = word.strip_prefix(PERSON).unwrap_or(word);
            let Some(stage) = Stage::ALL.into_iter().find(|it| it.name() == name) else {
                return Err(bad(unknown(word)));
            };
            if let Some((_, gate)) = pending
                && (word.starts_with(PERSON) || gate != stage)
            {
                let gate = gate.name();
                return Err(bad(format!("`{gate}` must come right after `human:{gate}`")));
            }
            if word.starts_with(PERSON) {
                pending = Some((at, stage));
                continue;
            }
            if last == Some(stage) {
                return Err(bad(format!("`{name}` stands there twice")));
            }
            if last.is_some_and(|it| stage < it) {
                return Err(bad(format!(
                    "`{name}` comes too late: the order is design, build, validate, announce"
                )));
            }
            let gate = if pending.take().is_some() { Gate::Person } else { Gate::Open };
            gates[stage as usize] = Some(gate);
            last = Some(stage);
        }
        if let Some((at, stage)) = pending {
            let name = stage.name();
            let text = format!("nothing comes after `human:{name}`: add `{name}`");
            return Err(BadStages { at: Some(at), text });
        }
        let [design, build, validate, announce] = gates;
        let missing = |name: &str| BadStages {
            at: None,
            text: format!("`{name}` is missing: what is changed is always built and validated"),
        };
        Ok(Stages {
            design,
            build: build.ok_or_else(|| missing("build"))?,
            validate: validate.ok_or_else(|| missing("validate"))?,
            announce,
        })
    }

    /// `None`: this way has no such stage.
    pub fn gate(&self, stage: Stage) -> Option<Gate> {
        match stage {
            Stage::Design => self.design,
            Stage::Build => Some(self.build),
            Stage::Validate => Some(self.validate),
            Stage::Announce => self.announce,
        }
    }

    /// As it is written in a team file.
    pub fn words(&self) -> Vec<String> {
        let mut res = vec![];
        for stage in Stage::ALL {
            let Some(gate) = self.gate(stage) else { continue };
            if gate == Gate::Person {
                res.push(format!("{PERSON}{}", stage.name()));
            }
            res.push(stage.name().to_string());
        }
        res
    }
}

fn unknown(word: &str) -> String {
    if word == "triage" || word == "land" {
        return format!(
            "`{word}` is always there, {}",
            match word {
                "triage" => "before the first stage",
                _ => "after the last one, and a person's: leave it out",
            }
        );
    }
    let names: Vec<&str> = Stage::ALL.iter().map(|it| it.name()).collect();
    format!(
        "there is no stage `{word}`; there is {}, each with `human:` for a gate",
        names.join(", ")
    )
}

/// The ways of all classes that change something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ways {
    pub bug: Stages,
    pub feature: Stages,
    pub refactor: Stages,
    pub docs: Stages,
    pub chore: Stages,
}

impl Default for Ways {
    fn default() -> Ways {
        let refactor = Stages { design: Some(Gate::Open), ..Stages::SHORT };
        Ways {
            bug: Stages::SHORT,
            feature: Stages { announce: Some(Gate::Open), ..refactor },
            refactor,
            docs: Stages::SHORT,
            chore: Stages::SHORT,
        }
    }
}

impl Ways {
    /// `None`: this class changes nothing, so it has no stages.
    pub fn of(&self, class: Class) -> Option<&Stages> {
        match class {
            Class::Bug => Some(&self.bug),
            Class::Feature => Some(&self.feature),
            Class::Refactor => Some(&self.refactor),
            Class::Docs => Some(&self.docs),
            Class::Chore => Some(&self.chore),
            Class::Question | Class::NeedsHuman => None,
        }
    }

    /// False: this class has no stages.
    pub fn set(&mut self, class: Class, stages: Stages) -> bool {
        match class {
            Class::Bug => self.bug = stages,
            Class::Feature => self.feature = stages,
            Class::Refactor => self.refactor = stages,
            Class::Docs => self.docs = stages,
            Class::Chore => self.chore = stages,
            Class::Question | Class::NeedsHuman => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(list: &str) -> String {
        let words: Vec<&str> = list.split_whitespace().collect();
        match Stages::parse(&words) {
            Ok(it) => it.words().join(" "),
            Err(it) => format!("{:?}: {}", it.at, it.text),
        }
    }

    #[test]
    fn a_list_is_read_and_written_back() {
        for list in [
            "build validate",
            "design build validate",
            "design human:build build validate announce",
            "human:design design build human:validate validate human:announce announce",
        ] {
            assert_eq!(read(list), list);
        }
    }

    #[test]
    fn a_list_that_cant_be_is_refused_with_its_place() {
        let cases = [
            ("", "None: `build` is missing: what is changed is always built and validated"),
            ("build", "None: `validate` is missing: what is changed is always built and validated"),
            ("validate", "None: `build` is missing: what is changed is always built and validated"),
            (
                "validate build",
                "Some(1): `build` comes too late: the order is design, build, validate, announce",
            ),
            ("build build validate", "Some(1): `build` stands there twice"),
            ("human:build validate", "Some(1): `build` must come right after `human:build`"),
            (
                "human:build human:build build validate",
                "Some(1): `build` must come right after `human:build`",
            ),
            (
                "build validate human:announce",
                "Some(2): nothing comes after `human:announce`: add `announce`",
            ),
            (
                "build ship validate",
                "Some(1): there is no stage `ship`; there is design, build, validate, announce, each with `human:` for a gate",
            ),
            (
                "build validate land",
                "Some(2): `land` is always there, after the last one, and a person's: leave it out",
            ),
        ];
        for (list, says) in cases {
            assert_eq!(read(list), says, "{list}");
        }
    }
}
