//! The choice reaches a team that lives in the daemon as it was typed.

use crate::cli::world::HONEST;
use crate::daemon::den::Den;

#[test]
fn the_daemon_lands_the_chosen_hunks_alone() {
    let more = "[[run.reply.call]]\nname = \"write_file\"\n\
         input = { path = \"extra.txt\", text = \"more\\n\" }\n\
         [[run.reply.call]]\nname = \"hand_over_change\"";
    let script = HONEST.replace("[[run.reply.call]]\nname = \"hand_over_change\"", more);
    let den = Den::new(&script);
    den.baton(&["run", "the answer is wrong"]).ends(2);
    let wrong = den.baton(&["answer", "A1", "approve", "--only", "answer.txt:2"]);
    wrong.ends(64).complains(&["has hunks 1 to 1", "baton diff T1 --hunks"]);
    let red = den.baton(&["answer", "A1", "approve", "--only", "extra.txt"]);
    red.ends(2);
    assert!(red.out.contains("the hunks you accepted don't land alone"), "{}", red.out);
    assert_eq!((den.world.answer().as_str(), den.landed()), ("wrong\n", 0));
    den.baton(&["answer", "A2", "approve", "--only", "answer.txt:1"]).ends(0);
    assert_eq!((den.world.answer().as_str(), den.landed()), ("right\n", 1));
    assert!(!den.world.repo.join("extra.txt").exists());
}
