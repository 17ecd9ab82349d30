//! An answer of the rules as the wire has it: what the command line sends to the daemon.

use super::requests::{AnswerApprovalParams, ChosenHunks, LineComment};
use team::{Answer, ApprovalId, ChangeId, Side};

impl AnswerApprovalParams {
    /// `expected`: the change that was shown.
    pub fn of(approval: ApprovalId, expected: Option<ChangeId>, answer: Answer) -> Self {
        let mut res = AnswerApprovalParams {
            approval: approval.to_string(),
            revision: expected.map(|it| it.0),
            ..AnswerApprovalParams::default()
        };
        let word = match answer {
            Answer::Approve { ticked } => {
                res.ticked = ticked;
                "approve"
            }
            Answer::ApproveSome { ticked, hunks } => {
                res.ticked = ticked;
                let chosen = hunks.into_iter();
                let chosen = chosen.map(|it| ChosenHunks { path: it.path, hunks: Some(it.hunks) });
                res.hunks = Some(chosen.collect());
                "approve"
            }
            Answer::Apply => "apply",
            Answer::Rebuild => "rebuild",
            Answer::Revise { text, comments } => {
                res.text = Some(text);
                let said = comments.into_iter().map(|it| LineComment {
                    path: it.path,
                    line: it.line,
                    side: Some(if it.side == Side::Old { "from" } else { "to" }.to_owned()),
                    text: it.text,
                });
                res.comments = said.collect();
                "revise"
            }
            Answer::Reject { why } => {
                res.text = Some(why);
                "reject"
            }
        };
        res.answer = word.to_owned();
        res
    }
}
