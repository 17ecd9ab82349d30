//! What stage 2 does to itself before it becomes the command: limits, Landlock, seccomp.

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope,
};
use rlimit::Resource;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter, sock_filter,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Most processes and threads in one sandbox.
const PROCESSES_MAX: u64 = 2048;
/// Largest file that a command can write.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// Most files that one process can have open.
const OPEN_FILES_MAX: u64 = 4096;
/// When memory runs out, the kernel ends a sandboxed process before it ends the daemon.
const OOM_SCORE: &str = "500";

/// Sets the limits. Returns whether the number of processes is limited.
pub(super) fn limit() -> Result<bool, String> {
    for (resource, most) in [
        (Resource::CORE, 0),
        (Resource::FSIZE, FILE_BYTES_MAX),
        (Resource::NOFILE, OPEN_FILES_MAX),
        (Resource::NPROC, PROCESSES_MAX),
    ] {
        let set = resource.get().and_then(|(_, hard)| {
            let most = most.min(hard);
            resource.set(most, most)
        });
        set.map_err(|error| format!("limit {}: {error}", resource.as_name()))?;
    }
    // A process that cannot be given away first is a nuisance, not a hole.
    let _ = std::fs::write("/proc/self/oom_score_adj", OOM_SCORE);
    // The kernel exempts root from NPROC; for root it lets us bound the pid namespace, since 6.14.
    let exempt = rustix::process::getuid().is_root();
    let pids = std::fs::write("/proc/sys/kernel/pid_max", PROCESSES_MAX.to_string());
    Ok(!exempt || pids.is_ok())
}

/// Newest first; the first one that the kernel can enforce in full is used.
const ABIS: [ABI; 10] =
    [ABI::V10, ABI::V9, ABI::V8, ABI::V7, ABI::V6, ABI::V5, ABI::V4, ABI::V3, ABI::V2, ABI::V1];

/// Every file right and every scope that this kernel knows, enforced in full: read everything that
/// was bound, write the given paths, `/tmp` and devices. Network rights are not handled: the
/// network namespace has nothing but its own loopback, on which tests must be able to listen.
/// Returns the ABI.
pub(super) fn landlock(writable: &[PathBuf]) -> Result<u32, String> {
    let mut why = String::from("the kernel has no Landlock");
    for abi in ABIS {
        let ruleset = match ruleset(abi) {
            Ok(ruleset) => ruleset,
            Err(error) => {
                why = error;
                continue;
            }
        };
        let write = AccessFs::from_all(abi);
        let device = AccessFs::from_file(abi) | AccessFs::ReadDir;
        let mut rules = vec![
            (Path::new("/"), AccessFs::from_read(abi)),
            (Path::new("/dev"), device),
            (Path::new("/dev/shm"), write),
            (Path::new("/tmp"), write),
        ];
        rules.extend(writable.iter().map(|it| (it.as_path(), write)));
        let mut ruleset = ruleset;
        for (path, access) in rules {
            ruleset = allow(ruleset, path, access, abi)?;
        }
        let status = ruleset.restrict_self().map_err(|it| it.to_string())?;
        if status.ruleset != RulesetStatus::FullyEnforced || !status.no_new_privs {
            return Err(format!("only {:?}", status.ruleset));
        }
        return Ok(abi as u32);
    }
    Err(why)
}

fn ruleset(abi: ABI) -> Result<RulesetCreated, String> {
    // A right that the kernel lacks is an error here, never left out in silence.
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(abi))
        .map_err(|it| it.to_string())?;
    let scopes: BitFlags<Scope> = Scope::from_all(abi);
    if !scopes.is_empty() {
        ruleset = ruleset.scope(scopes).map_err(|it| it.to_string())?;
    }
    ruleset.create().map_err(|it| it.to_string())
}

fn allow(
    ruleset: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
    abi: ABI,
) -> Result<RulesetCreated, String> {
    let explain = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(abi) };
    let fd = PathFd::new(path).map_err(|it| explain(&it))?;
    ruleset.add_rule(PathBeneath::new(fd, access)).map_err(|it| explain(&it))
}

/// No tracing, namespaces, mounts, io_uring, keyrings, kernel programs, clocks, terminals' input
/// queues, and no sockets but the local and the loopback kinds.
pub(super) fn seccomp() -> Result<(), String> {
    apply_filter(&refuse_other_abis()).map_err(|it| it.to_string())?;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in REFUSED {
        rules.insert(call, Vec::new());
    }
    rules.insert(libc::SYS_socket, other_families(&SOCKET_FAMILIES)?);
    rules.insert(libc::SYS_socketpair, other_families(&[libc::AF_UNIX])?);
    let new_namespaces: Result<_, String> = NAMESPACE_FLAGS
        .iter()
        .map(|flag| rule(0, SeccompCmpOp::MaskedEq(*flag as u64), *flag as u64))
        .collect();
    rules.insert(libc::SYS_clone, new_namespaces?);
    let terminals: Result<_, String> = [libc::TIOCSTI, TIOCLINUX]
        .iter()
        .map(|request| rule(1, SeccompCmpOp::Eq, *request))
        .collect();
    rules.insert(libc::SYS_ioctl, terminals?);
    refuse(rules, libc::EPERM)?;
    // clone3 hides its flags from seccomp; without it libc falls back to clone.
    refuse(BTreeMap::from([(libc::SYS_clone3, Vec::new())]), libc::ENOSYS)
}

const SOCKET_FAMILIES: [i32; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

const TIOCLINUX: u64 = 0x541C;

const NAMESPACE_FLAGS: [i32; 7] = [
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

const REFUSED: [i64; 48] = [
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_name_to_handle_at,
    libc::SYS_nfsservctl,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
];

fn rule(argument: u8, op: SeccompCmpOp, value: u64) -> Result<SeccompRule, String> {
    // The kernel looks at the low half of these arguments, so the filter must not look at more.
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, op, value)
        .and_then(|it| SeccompRule::new(vec![it]))
        .map_err(|it| it.to_string())
}

/// Matches every family but these: all inequalities hold.
fn other_families(families: &[i32]) -> Result<Vec<SeccompRule>, String> {
    let all: Result<Vec<_>, BackendError> = families
        .iter()
        .map(|it| SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, *it as u64))
        .collect();
    all.and_then(SeccompRule::new).map(|it| vec![it]).map_err(|it| it.to_string())
}

fn refuse(rules: BTreeMap<i64, Vec<SeccompRule>>, errno: i32) -> Result<(), String> {
    let program = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(errno as u32),
        arch()?,
    )
    .and_then(BpfProgram::try_from)
    .map_err(|it| it.to_string())?;
    apply_filter(&program).map_err(|it| it.to_string())
}

fn arch() -> Result<TargetArch, String> {
    TargetArch::try_from(std::env::consts::ARCH).map_err(|it| it.to_string())
}

/// Calls numbered for x32 carry the same architecture mark as those of x86-64, but other numbers,
/// which no rule would match. They are answered as if they did not exist. (Calls of other
/// architectures end the process: the other filters see to that.)
fn refuse_other_abis() -> BpfProgram {
    const LOAD_WORD: u16 = 0x20;
    const JUMP_IF_GREATER_OR_EQUAL: u16 = 0x35;
    const RETURN: u16 = 0x06;
    const X32_BIT: u32 = 0x4000_0000;
    const ALLOW: u32 = 0x7fff_0000;
    const ERRNO: u32 = 0x0005_0000;
    let step = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    vec![
        // The call's number is the first word of what a filter sees.
        step(LOAD_WORD, 0, 0, 0),
        step(JUMP_IF_GREATER_OR_EQUAL, 0, 1, X32_BIT),
        step(RETURN, 0, 0, ERRNO | libc::ENOSYS as u32),
        step(RETURN, 0, 0, ALLOW),
    ]
}
