//! Which role is served by which model: names for models in `[models]`, and `[roles.*]` that use them.

use super::toml_error::nearest;
use super::{Config, ModelConfig};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;
use team::{Code, Failure, Role};

const MODELS_MAX: usize = 64;

/// The tables under `[models]`.
pub(super) type Models = BTreeMap<String, Alias>;

/// What a name stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Alias {
    /// Another model where `[model]` is.
    Model(String),
    /// A table with the keys of `[model]`.
    Whole(Box<ModelConfig>),
}

impl<'de> Deserialize<'de> for Alias {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Alias, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Alias;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a model or a table like [model]")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Alias, E> {
                match name.trim() {
                    "" => Err(E::custom("the name of a model is empty")),
                    name => Ok(Alias::Model(name.to_owned())),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Alias, A::Error> {
                let whole = ModelConfig::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Alias::Whole(Box::new(whole)))
            }
        }
        from.deserialize_any(Either)
    }
}

/// The tables under `[roles]`, by role.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roles {
    #[serde(default)]
    pm: RoleTable,
    #[serde(default)]
    architect: RoleTable,
    #[serde(default)]
    engineer: EngineerTable,
    #[serde(default)]
    tester: RoleTable,
    #[serde(default)]
    marketing: RoleTable,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleTable {
    model: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct EngineerTable {
    model: Option<String>,
    retry_model: Option<String>,
}

impl Roles {
    fn name(&self, role: Role, begins_anew: bool) -> Option<&str> {
        let name = match role {
            Role::Pm => &self.pm.model,
            Role::Architect => &self.architect.model,
            Role::Tester => &self.tester.model,
            Role::Marketing => &self.marketing.model,
            Role::Engineer => match &self.engineer.retry_model {
                Some(_) if begins_anew => &self.engineer.retry_model,
                Some(_) | None => &self.engineer.model,
            },
        };
        name.as_deref()
    }

    /// The names that are used, each with its key.
    fn used(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("roles.pm.model", &self.pm.model),
            ("roles.architect.model", &self.architect.model),
            ("roles.engineer.model", &self.engineer.model),
            ("roles.engineer.retry_model", &self.engineer.retry_model),
            ("roles.tester.model", &self.tester.model),
            ("roles.marketing.model", &self.marketing.model),
        ];
        all.into_iter().filter_map(|(key, name)| Some((key, name.as_deref()?)))
    }

    /// Errors: `Config` for a name that `[models]` has not.
    pub(super) fn check(&self, models: &Models, file: &str) -> Result<(), Failure> {
        if MODELS_MAX < models.len() {
            let text = format!("{file}: [models] has more than {MODELS_MAX} names");
            return Err(Failure::new(Code::Config, text));
        }
        let known: Vec<&str> = models.keys().map(String::as_str).collect();
        let Some((key, name)) = self.used().find(|it| !models.contains_key(it.1)) else {
            return Ok(());
        };
        let text = format!("{file}: `{key}` names \"{name}\", which [models] has not");
        let hint = match nearest(name, &known) {
            Some(it) => format!("did you mean \"{it}\"?"),
            None => format!("write {name} = \"the model\" under [models]"),
        };
        Err(Failure::new(Code::Config, text).hint(hint))
    }
}

impl Config {
    /// The model of a role; of an Engineer that begins anew after failed builds, the one for that.
    /// None: there is no model.
    pub fn model_of(&self, role: Role, begins_anew: bool) -> Option<ModelConfig> {
        let base = || self.model.clone();
        match self.roles.name(role, begins_anew).and_then(|it| self.models.get(it)) {
            Some(Alias::Whole(it)) => Some((**it).clone()),
            Some(Alias::Model(name)) => Some(self.model.as_ref()?.named(name)),
            None => base(),
        }
    }

    /// Every model that a role may be served by, with who it is for; each once.
    pub fn models_in_use(&self) -> Vec<(String, Option<ModelConfig>)> {
        let roles = [Role::Pm, Role::Architect, Role::Engineer, Role::Tester, Role::Marketing];
        let mut all: Vec<(String, Option<ModelConfig>)> = Vec::new();
        let pairs = roles.map(|it| (it.name().to_owned(), self.model_of(it, false)));
        let anew = ("Engineer anew".to_owned(), self.model_of(Role::Engineer, true));
        for (name, model) in pairs.into_iter().chain([anew]) {
            match all.iter_mut().find(|it| it.1 == model) {
                // The Engineer's own model serves it anew too.
                Some(before) if name == "Engineer anew" && before.0.contains("Engineer") => {}
                Some(before) => before.0 = format!("{}, {name}", before.0),
                None => all.push((name, model)),
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, Failure> {
        Config::parse(text, "config.toml")
    }

    #[test]
    fn a_role_gets_the_model_that_its_name_stands_for() {
        let text = r#"
            [model]
            model = "claude-sonnet-5-5"
            prices = { input = 1, output = 2 }
            [models]
            fast = "claude-haiku-5-5"
            home = { provider = "openai", base_url = "http://127.0.0.1:8080/v1", model = "q" }
            [roles.pm]
            model = "fast"
            [roles.engineer]
            model = "home"
            retry_model = "fast"
        "#;
        let config = parse(text).unwrap();
        let name = |role, anew| config.model_of(role, anew).unwrap().model;
        assert_eq!(name(Role::Pm, false), "claude-haiku-5-5");
        assert_eq!(name(Role::Engineer, false), "q");
        assert_eq!(name(Role::Engineer, true), "claude-haiku-5-5");
        assert_eq!(name(Role::Tester, true), "claude-sonnet-5-5");
        let fast = config.model_of(Role::Pm, false).unwrap();
        // The same address and key, but not another model's price.
        assert_eq!((fast.key, fast.prices), (config.model.clone().unwrap().key, None));
        assert_eq!(config.model_of(Role::Engineer, false).unwrap().key, None);
        let who: Vec<String> = config.models_in_use().into_iter().map(|it| it.0).collect();
        assert_eq!(who, ["PM, Engineer anew", "Architect, Tester, Marketing", "Engineer"]);
    }

    #[test]
    fn without_roles_there_is_one_model() {
        let config = parse("[model]").unwrap();
        let all = config.models_in_use();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].0, "PM, Architect, Engineer, Tester, Marketing");
        assert_eq!(all[0].1, config.model);
        assert_eq!(Config::default().model_of(Role::Pm, false), None);
    }

    #[test]
    fn a_name_that_stands_for_nothing_is_refused() {
        for (text, said) in [
            (
                "[models]\nfast = \"m\"\n[roles.pm]\nmodel = \"fats\"",
                "`roles.pm.model` names \"fats\", which [models] has not (did you mean \"fast\"?)",
            ),
            ("[roles.tester]\nmodel = \"x\"", "(write x = \"the model\" under [models])"),
            ("[roles.tester]\nretry_model = \"x\"", "unknown key `retry_model`"),
            ("[roles.designer]\nmodel = \"x\"", "unknown key `designer`"),
            ("[models]\nfast = 3", "expected the name of a model or a table like [model]"),
            ("[models]\nfast = \" \"", "the name of a model is empty"),
            ("[models.fast]\nprovidre = \"openai\"", "did you mean `provider`?"),
        ] {
            let failure = parse(text).unwrap_err().to_string();
            assert!(failure.contains(said), "{text}: {failure}");
        }
    }
}
