//! Hostile probes with system calls and sockets.

use super::table::{Probe, python};

pub const FORK_BOMB: &str = "a fork bomb";

/// `refused(NAME, ARGS..)`: the call must end with "not permitted". `must_fail(FUNCTION)`: an error.
pub const PRELUDE: &str = r#"
import ctypes, errno, fcntl, os, platform, resource, signal, socket, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
arm = platform.machine() == 'aarch64'
NUMBERS = dict(ptrace=(101, 117), process_vm_readv=(310, 270), mount=(165, 40), umount2=(166, 39),
    pivot_root=(155, 41), chroot=(161, 51), unshare=(272, 97), setns=(308, 268), keyctl=(250, 219),
    add_key=(248, 217), request_key=(249, 218), io_uring_setup=(425, 425), bpf=(321, 280),
    io_uring_enter=(426, 426), perf_event_open=(298, 241), userfaultfd=(323, 282), kcmp=(312, 272),
    open_by_handle_at=(304, 265), pidfd_getfd=(438, 438), open_tree=(428, 428), fsopen=(430, 430),
    mount_setattr=(442, 442), move_mount=(429, 429), clone=(56, 220), clone3=(435, 435),
    reboot=(169, 142), kexec_load=(246, 104), finit_module=(313, 273), swapon=(167, 224),
    clock_settime=(227, 112), syslog=(103, 116), fanotify_init=(300, 262), acct=(163, 89))
def call(name, *args):
    ctypes.set_errno(0)
    number = NUMBERS[name][arm] if isinstance(name, str) else name
    got = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(it) for it in args])
    return got, ctypes.get_errno()
def held(ok, what=''):
    print('HELD' if ok else f'BREACH {what}')
def refused(name, *args):
    got = call(name, *args)
    held(got[0] == -1 and got[1] == errno.EPERM, f'{name} {got}')
def must_fail(what):
    try:
        what()
    except (OSError, ValueError) as error:
        return held(True)
    held(False, what)
NEWUSER, NEWNS, NEWPID, NEWNET = 0x10000000, 0x20000, 0x20000000, 0x40000000
"#;

pub const PROBES: [Probe; 49] = [
    // Sockets.
    python(
        "TCP to the host's loopback",
        "must_fail(lambda: socket.create_connection(('127.0.0.1', {tcp}), 2))",
    ),
    python(
        "TCP to the host's loopback, version 6",
        "must_fail(lambda: socket.create_connection(('::1', {tcp6}), 2))",
    )
    .only_confined(),
    python(
        "UDP to the host's loopback",
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(0.2)\n\
         s.connect(('127.0.0.1', {udp})); s.send(b'x')\n\
         must_fail(lambda: s.recv(1))",
    )
    .only_confined(),
    python(
        "TCP to elsewhere",
        "for host in ['192.0.2.1', '10.0.2.2', '169.254.169.254']:\n \
         s = socket.socket(); s.settimeout(2)\n \
         got = s.connect_ex((host, 80)); held(got == errno.ENETUNREACH, got)",
    )
    .only_confined(),
    python(
        "another network device",
        "held(socket.if_nameindex() == [(1, 'lo')], socket.if_nameindex())",
    )
    .only_confined(),
    python(
        "a host socket by its path",
        "os.chdir('{root}/slot'); s = socket.socket(socket.AF_UNIX)\n\
         must_fail(lambda: s.connect('../s'))",
    ),
    python(
        "a host socket by its name",
        "s = socket.socket(socket.AF_UNIX); must_fail(lambda: s.connect('\\0{name}'))",
    ),
    python(
        "sockets of daemons",
        "for path in ['/run/docker.sock', '/var/run/docker.sock', '/run/dbus/system_bus_socket',\n \
         '/run/systemd/private']: must_fail(lambda: os.stat(path))",
    )
    .only_confined(),
    python(
        "odd kinds of sockets",
        "for family in [16 + 1, 38, 40, 30, 31]:\n \
         must_fail(lambda: socket.socket(family, socket.SOCK_RAW))\n \
         must_fail(lambda: socket.socket(family, socket.SOCK_SEQPACKET))",
    ),
    python("raw packets", "must_fail(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))")
        .only_confined(),
    // Calls.
    python("trace itself", "refused('ptrace', 0, 0, 0, 0)"),
    python("trace another", "refused('ptrace', 16, 1, 0, 0)").only_confined(),
    python("read another's memory", "refused('process_vm_readv', 1, 0, 0, 0, 0, 0)"),
    python("take another's file", "refused('pidfd_getfd', 0, 0, 0); refused('kcmp', 1, 1, 0, 0, 0)"),
    python("mount", "refused('mount', 0, 0, 0, 0, 0); refused('umount2', 0, 0)").only_confined(),
    python(
        "mount in the new ways",
        "for name in ['open_tree', 'fsopen', 'move_mount', 'mount_setattr']: refused(name, -1, 0, 0, 0, 0)",
    )
    .only_confined(),
    python("change the root", "refused('chroot', 0); refused('pivot_root', 0, 0)").only_confined(),
    python("a new user namespace", "refused('unshare', NEWUSER)").only_confined(),
    python("other namespaces", "for it in [NEWNS, NEWPID, NEWNET]: refused('unshare', it)")
        .only_confined(),
    python("a new user namespace by clone", "refused('clone', NEWUSER | 17, 0, 0, 0, 0)")
        .only_confined(),
    python("high halves of clone's flags", "refused('clone', NEWUSER | 17 | 1 << 40, 0, 0, 0, 0)")
        .only_confined(),
    python(
        "clone3, which hides its flags",
        "got = call('clone3', 0, 0); held(got[1] == errno.ENOSYS, got)",
    ),
    python(
        "enter another namespace",
        "fd = os.open('/proc/self/ns/net', os.O_RDONLY); refused('setns', fd, 0)",
    )
    .only_confined(),
    python("keyrings", "refused('keyctl', 0, -3, 0); refused('request_key', 0, 0, 0, 0)"),
    python("add a key", "refused('add_key', 0, 0, 0, 0, -3)"),
    python("io_uring", "refused('io_uring_setup', 1, 0); refused('io_uring_enter', -1, 0, 0, 0)"),
    python("kernel programs", "refused('bpf', 0, 0, 0); refused('perf_event_open', 0, 0, -1, -1, 0)")
        .only_confined(),
    python("page faults in user space", "refused('userfaultfd', 1 << 30)"),
    python("open by handle", "refused('open_by_handle_at', -1, 0, 0)").only_confined(),
    python(
        "the whole machine",
        "for name in ['kexec_load', 'finit_module', 'swapon', 'acct', 'syslog', 'fanotify_init']:\n \
         refused(name, -1, 0, 0, 0)",
    )
    .only_confined(),
    python("restart and set the clock", "refused('reboot', 0, 0, 0); refused('clock_settime', 0, 0)")
        .only_confined(),
    python(
        "calls numbered for x32",
        "got = call(0x40000000 + 39); held(arm or got == (-1, errno.ENOSYS), got)\n\
         got = call(0x40000000 + 521, 0, 0, 0, 0); held(arm or got == (-1, errno.ENOSYS), got)",
    )
    .only_confined(),
    python(
        "type into a terminal",
        "import termios\nmain, other = os.openpty()\n\
         for request in [0x5412, 0x541C, 0x5412 | 1 << 40]:\n \
         buffer = ctypes.create_string_buffer(b'\\x02x')\n \
         got = libc.ioctl(other, ctypes.c_ulong(request), buffer)\n \
         held(got == -1 and ctypes.get_errno() == errno.EPERM, got)",
    )
    .only_confined(),
    python("the terminal of the daemon", "must_fail(lambda: os.open('/dev/tty', os.O_RDWR))")
        .only_confined(),
    // Limits.
    python(
        "raise a limit",
        "for it in [resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE]:\n \
         must_fail(lambda: resource.setrlimit(it, (1 << 40, 1 << 40)))",
    )
    .only_confined(),
    python(
        "a file of any size",
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n\
         f = os.open('big', os.O_CREAT | os.O_RDWR)\n\
         must_fail(lambda: os.ftruncate(f, 5 << 30))\n\
         t = os.statvfs('/tmp'); held(t.f_blocks * t.f_frsize <= 1 << 30, t)\n\
         t = os.statvfs('/dev/shm'); held(t.f_blocks * t.f_frsize <= 1 << 28, t)",
    )
    .only_confined(),
    python(
        "live longer than others when memory runs out",
        "must_fail(lambda: open('/proc/self/oom_score_adj', 'w').write('-1000'))\n\
         held(int(open('/proc/self/oom_score_adj').read()) >= 500)",
    )
    .only_confined(),
    python(
        FORK_BOMB,
        "n = 0\nwhile n < 5000:\n try:\n  pid = os.fork()\n except OSError: break\n \
         if pid == 0: signal.pause()\n n += 1\nheld(n < 2100, n)",
    )
    .only_confined(),
    // What it was born with.
    python(
        "inherited files",
        "for pid in ['self', '1']:\n for fd in os.listdir(f'/proc/{pid}/fd'):\n  \
         try: to = os.readlink(f'/proc/{pid}/fd/{fd}')\n  except OSError: continue\n  \
         held('{root}' not in to and not to.startswith('socket:'), to)\nheld(True)",
    )
    .only_confined(),
    python(
        "capabilities",
        "text = open('/proc/self/status').read()\n\
         for line in ['CapEff:\\t0000000000000000', 'CapPrm:\\t0000000000000000', 'NoNewPrivs:\\t1',\n \
         'Seccomp:\\t2']: held(line in text, line)",
    ),
    python(
        "the bound of capabilities",
        "held('CapBnd:\\t0000000000000000' in open('/proc/self/status').read())",
    ),
    python("the host's name", "held(os.uname().nodename == 'sandbox'); must_fail(lambda: socket.sethostname('x'))")
        .only_confined(),
    python(
        "shared memory of the host",
        "held(os.listdir('/dev/shm') == [], os.listdir('/dev/shm'))\n\
         got = libc.shmget(0x5ba70, 4096, 0); held(got == -1, got)",
    )
    .only_confined(),
    // Other processes of the same user.
    python(
        "limits of another process",
        "must_fail(lambda: resource.prlimit({host}, resource.RLIMIT_CORE, (0, 0)))",
    )
    .only_confined(),
    python(
        "priority of another process",
        "must_fail(lambda: os.setpriority(os.PRIO_PROCESS, {host}, 19))",
    )
    .only_confined(),
    python(
        "where another process runs",
        "must_fail(lambda: os.sched_setaffinity({host}, os.sched_getaffinity(0)))",
    ),
    python(
        "trace a process of the host",
        "got = call('ptrace', 16, {host}, 0, 0); held(got[0] == -1, got)\n\
         must_fail(lambda: open('/proc/{host}/mem', 'rb').read(1))",
    )
    .only_confined(),
    python(
        "attributes of files outside",
        "must_fail(lambda: os.setxattr('{root}/outside/file', 'user.x', b'1'))",
    )
    .only_confined(),
    python(
        "watch the home",
        "fd = libc.inotify_init1(0)\n\
         held(libc.inotify_add_watch(fd, b'{home}/.ssh', 0x3b) == -1, 'watched')",
    ),
];
