//! The `baton` program.
fn main() {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|it| it == baton::sandbox::LAUNCH_ARGUMENT) {
        baton::sandbox::launch(args);
    }
}
