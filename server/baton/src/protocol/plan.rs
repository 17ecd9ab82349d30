//! A plan, as the Architect made it and a person reads it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a change shall be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanView {
    pub approach: String,
    /// Globs, relative to the root of the repository: what the change may touch. Tests and
    /// documentation beside them go without saying.
    pub paths: Vec<String>,
    /// How it will be shown that the change is right.
    pub tests: String,
    /// Alternatives, each with the reason why not.
    pub rejected: Vec<String>,
    pub assumptions: Vec<String>,
    pub decisions: Vec<String>,
}

impl PlanView {
    pub fn of(plan: &team::Plan) -> PlanView {
        PlanView {
            approach: plan.approach.clone(),
            paths: plan.paths.clone(),
            tests: plan.tests.clone(),
            rejected: plan.rejected.clone(),
            assumptions: plan.assumptions.clone(),
            decisions: plan.decisions.clone(),
        }
    }
}
