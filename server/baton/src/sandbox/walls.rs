//! What stage 2 does to itself before it becomes the command: limits, Landlock, seccomp.

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope,
};
use rlimit::Resource;
use rustix::thread::{self, CapabilitySet, CapabilitySets};
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
/// Most memory of one process that it may write, where the machine has less: tools reserve much and
/// use little.
const DATA_BYTES_MIN: u64 = 8 * 1024 * 1024 * 1024;
/// When memory runs out, the kernel ends a sandboxed process before it ends the daemon.
const OOM_SCORE: &str = "500";

/// Sets the limits. Returns whether the number of processes is limited.
///
/// `pids_are_ours`: this is a process namespace of its own. Where it is not, the bound on process
/// numbers is the whole machine's and stays as it is.
pub(super) fn limit(pids_are_ours: bool) -> Result<bool, String> {
    for (resource, most) in [
        (Resource::CORE, 0),
        (Resource::DATA, data_bytes_max()),
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
    let pid_max = "/proc/sys/kernel/pid_max";
    let bounded = pids_are_ours && std::fs::write(pid_max, PROCESSES_MAX.to_string()).is_ok();
    Ok(!exempt || bounded)
}

/// Three quarters of the machine's memory: whoever wants more in one process is stopped before the
/// machine is.
fn data_bytes_max() -> u64 {
    let info = rustix::system::sysinfo();
    let all = info.totalram.saturating_mul(u64::from(info.mem_unit.max(1)));
    (all / 4 * 3).max(DATA_BYTES_MIN)
}

/// Gives up every capability for good, which an ordinary user has none of anyhow.
pub(super) fn drop_capabilities() -> Result<(), String> {
    // Only who may, can; with `no_new_privs`, which Landlock sets, it makes no difference.
    for one in CapabilitySet::all().iter() {
        let _ = thread::remove_capability_from_bounding_set(one);
    }
    let _ = thread::clear_ambient_capability_set();
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    thread::set_capabilities(None, sets).map_err(|it| format!("give up capabilities: {it}"))
}

/// Newest first; the first one that the kernel can enforce in full is used.
const ABIS: [ABI; 10] =
    [ABI::V10, ABI::V9, ABI::V8, ABI::V7, ABI::V6, ABI::V5, ABI::V4, ABI::V3, ABI::V2, ABI::V1];

/// Where no namespace helps, these rights and scopes must all be there.
const ABI_ALONE_MIN: ABI = ABI::V6;

/// A path and what may be done beneath it.
type Rule<'a> = (&'a Path, BitFlags<AccessFs>);

/// Every file right and every scope that this kernel knows, enforced in full: read everything that
/// was bound, write the given paths, `/tmp` and devices. Network rights are not handled: the
/// network namespace has nothing but its own loopback, on which tests must be able to listen.
/// Returns the ABI.
pub(super) fn landlock(writable: &[PathBuf]) -> Result<u32, String> {
    enforce(&ABIS, false, |abi| {
        let write = AccessFs::from_all(abi);
        let mut rules = vec![
            (Path::new("/"), AccessFs::from_read(abi)),
            (Path::new("/dev"), AccessFs::from_file(abi) | AccessFs::ReadDir),
            (Path::new("/dev/shm"), write),
            (Path::new("/tmp"), write),
        ];
        rules.extend(writable.iter().map(|it| (it.as_path(), write)));
        rules
    })
}

/// The same with nothing around it: only these paths and harmless devices, no TCP unless `network`,
/// no signals and no named sockets to the outside. Returns the ABI.
pub(super) fn landlock_alone(
    read: &[PathBuf],
    write: &[PathBuf],
    network: bool,
) -> Result<u32, String> {
    let new_enough: Vec<ABI> =
        ABIS.into_iter().filter(|it| ABI_ALONE_MIN as u32 <= *it as u32).collect();
    enforce(&new_enough, !network, |abi| {
        let mut rules: Vec<Rule<'_>> = Vec::new();
        for path in DEVICES.iter().map(Path::new).filter(|it| it.exists()) {
            rules.push((path, AccessFs::from_file(abi)));
        }
        let facts = FACTS.iter().map(Path::new).filter(|it| it.exists());
        let seen = facts.chain(read.iter().map(PathBuf::as_path));
        rules.extend(seen.map(|it| (it, AccessFs::from_read(abi))));
        rules.extend(write.iter().map(|it| (it.as_path(), AccessFs::from_all(abi))));
        rules
    })
}

const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// What programs ask the kernel about the machine, and about themselves. Not the whole of `/proc`: it
/// shows the command lines of everybody's processes.
const FACTS: [&str; 10] = [
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/self",
    "/proc/stat",
    "/proc/sys/kernel",
    "/proc/sys/vm",
    "/proc/uptime",
    "/proc/version",
];

/// Signals from here on reach only what this process starts, and nothing can take that back.
pub(super) fn scope_signals() -> Result<(), String> {
    // Whoever doesn't say otherwise forbids to move a file from one folder to another.
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::Refer)
        .and_then(|it| it.scope(Scope::Signal))
        .and_then(Ruleset::create)
        .map_err(|it| it.to_string())?;
    restrict(allow(ruleset, Path::new("/"), AccessFs::Refer.into(), ABI_ALONE_MIN)?)
}

/// Enforces the newest of these ABIs that the kernel has.
fn enforce<'a>(
    abis: &[ABI],
    handles_tcp: bool,
    rules: impl Fn(ABI) -> Vec<Rule<'a>>,
) -> Result<u32, String> {
    let mut why = String::from("the kernel has no Landlock, or an old one");
    for abi in abis {
        let mut ruleset = match ruleset(*abi, handles_tcp) {
            Ok(ruleset) => ruleset,
            Err(error) => {
                why = error;
                continue;
            }
        };
        for (path, access) in rules(*abi) {
            ruleset = allow(ruleset, path, access, *abi)?;
        }
        restrict(ruleset)?;
        return Ok(*abi as u32);
    }
    Err(why)
}

fn restrict(ruleset: RulesetCreated) -> Result<(), String> {
    let status = ruleset.restrict_self().map_err(|it| it.to_string())?;
    if status.ruleset != RulesetStatus::FullyEnforced || !status.no_new_privs {
        return Err(format!("only {:?}", status.ruleset));
    }
    Ok(())
}

fn ruleset(abi: ABI, handles_tcp: bool) -> Result<RulesetCreated, String> {
    // A right that the kernel lacks is an error here, never left out in silence.
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(abi))
        .map_err(|it| it.to_string())?;
    let net: BitFlags<AccessNet> = AccessNet::from_all(abi);
    if handles_tcp && !net.is_empty() {
        ruleset = ruleset.handle_access(net).map_err(|it| it.to_string())?;
    }
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

/// Which sockets a command may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sockets {
    /// The network and the root are its own: local and loopback kinds do no harm there.
    Own,
    /// They are the host's: only the kinds that reach a registry, for an approved set-up.
    Network,
    /// They are the host's.
    None,
}

/// No tracing, namespaces, mounts, io_uring, keyrings, kernel programs, clocks, terminals' input
/// queues, and no sockets but these.
pub(super) fn seccomp(sockets: Sockets) -> Result<(), String> {
    apply_filter(&refuse_other_abis()).map_err(|it| it.to_string())?;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in REFUSED {
        rules.insert(call, Vec::new());
    }
    let families: &[i32] = match sockets {
        Sockets::Own => &SOCKET_FAMILIES,
        Sockets::Network => &NETWORK_FAMILIES,
        Sockets::None => &[],
    };
    rules.insert(libc::SYS_socket, other_families(families)?);
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
    if sockets != Sockets::Own {
        refuse_reaching_others(&mut rules)?;
    }
    refuse(rules, libc::EPERM)?;
    if sockets != Sockets::Own {
        // As on a disk that has none: `cp -a` takes another answer for a failure.
        let attributes = ATTRIBUTES.map(|it| (it, Vec::new()));
        refuse(BTreeMap::from(attributes), libc::EOPNOTSUPP)?;
    }
    // clone3 hides its flags from seccomp; without it libc falls back to clone.
    refuse(BTreeMap::from([(libc::SYS_clone3, Vec::new())]), libc::ENOSYS)
}

/// What reaches other processes of the same user where there is no namespace between: memory and
/// queues by number, limits and priorities of others, attributes of files.
fn refuse_reaching_others(rules: &mut BTreeMap<i64, Vec<SeccompRule>>) -> Result<(), String> {
    for call in REFUSED_ALONE {
        rules.insert(call, Vec::new());
    }
    for call in OF_A_PROCESS {
        // Zero is the process itself.
        rules.insert(call, vec![rule(0, SeccompCmpOp::Ne, 0)?]);
    }
    for (call, itself) in
        [(libc::SYS_setpriority, PRIO_PROCESS), (libc::SYS_ioprio_set, IOPRIO_PROCESS)]
    {
        let other_kind = rule(0, SeccompCmpOp::Ne, itself)?;
        rules.insert(call, vec![other_kind, rule(1, SeccompCmpOp::Ne, 0)?]);
    }
    Ok(())
}

const PRIO_PROCESS: u64 = 0;
const IOPRIO_PROCESS: u64 = 1;

const NETWORK_FAMILIES: [i32; 3] = [libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

const ATTRIBUTES: [i64; 6] = [
    libc::SYS_fremovexattr,
    libc::SYS_fsetxattr,
    libc::SYS_lremovexattr,
    libc::SYS_lsetxattr,
    libc::SYS_removexattr,
    libc::SYS_setxattr,
];

const REFUSED_ALONE: [i64; 10] = [
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    libc::SYS_msgctl,
    libc::SYS_msgget,
    libc::SYS_process_mrelease,
    libc::SYS_semget,
    libc::SYS_shmat,
    libc::SYS_shmget,
];

const OF_A_PROCESS: [i64; 5] = [
    libc::SYS_prlimit64,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setscheduler,
];

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

/// Matches every family but these: all inequalities hold. No rule at all matches every call.
fn other_families(families: &[i32]) -> Result<Vec<SeccompRule>, String> {
    if families.is_empty() {
        return Ok(Vec::new());
    }
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
