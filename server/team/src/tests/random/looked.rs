//! Random reviews and random forgetting, and what holds of them.

use super::{Random, person};
use crate::tests::script::START;
use crate::*;

pub(super) fn anything(random: &mut Random, task: TaskId, approval: ApprovalId) -> Input {
    if random.one_in(2) {
        let sign = [Sign::Opened, Sign::Working, Sign::Closed][random.below(3) as usize];
        let approval = random.one_in(2).then_some(approval);
        return Input::View { task, approval, sign, by: person() };
    }
    let n = 1 + random.below(4);
    let is_fact = random.one_in(2);
    let memo = if is_fact { Memo::Fact(FactId(n)) } else { Memo::Decision(DecisionId(n)) };
    Input::Forget { memo, by: person() }
}

/// Nobody is with approvals for longer than with their task; a report's parts are parts; whatever is
/// forgotten is told to nobody.
pub(super) fn measured_honestly(team: &Team, story: &dyn Fn() -> String) {
    for (id, task) in &team.tasks {
        let approvals = task.approvals.iter().map(|it| team.approvals[it].viewed_ms).sum::<u64>();
        assert!(approvals <= task.viewing.ms, "{}: {id}", story());
        for (memo, _) in team.decisions(task) {
            assert!(team.remembered(memo).unwrap().forgotten.is_none(), "{}: {memo}", story());
        }
    }
    let report = report(team, START * 3, None);
    for (class, it) in report.classes.iter().map(|it| (it.0, &it.1)).chain([(None, &report.all)]) {
        let parts = it.delegated + it.assisted;
        assert!(parts == it.shipped && it.shipped <= it.tasks, "{}: {class:?} {it:?}", story());
        assert!(it.false_starts + it.shipped <= it.tasks, "{}: {class:?} {it:?}", story());
    }
}
