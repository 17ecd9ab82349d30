//! Hostile probes with a shell: files, links, processes, the environment.

use super::table::{Probe, sh};

/// `try 'COMMAND'` must fail; `no WORD 'COMMAND'` must not print that word.
pub const PRELUDE: &str = r#"
try() { if (eval "$1") >/dev/null 2>&1; then echo "BREACH: $1"; else echo HELD; fi; }
no() { case "$( (eval "$2") 2>/dev/null)" in *"$1"*) echo "BREACH: $2";; *) echo HELD;; esac; }
secret() { no canary-5b1d0c "$1"; }
"#;

pub const PROBES: [Probe; 58] = [
    // The slot's pointer.
    sh("write the pointer", "try 'echo x > .git'"),
    sh("append to the pointer", "try 'echo x >> .git'"),
    sh("remove the pointer", "try 'rm -f .git && test ! -e .git'"),
    sh("replace the pointer by a file", "try 'echo x > new && mv -f new .git'"),
    sh("replace the pointer by a link", "try 'ln -sfn /etc .git'"),
    sh("move the pointer away", "try 'mv .git old'"),
    sh("open the pointer's rights", "try 'chmod 777 .git'"),
    sh("truncate the pointer", "try 'truncate -s 0 .git'"),
    sh("a second name for the pointer", "try 'ln .git again && echo x > again'"),
    sh("swap the whole slot", "try 'mv {root}/slot {root}/gone && mkdir {root}/slot'"),
    // Secrets.
    sh("read a key by its path", "secret 'cat {home}/.ssh/id_rsa'"),
    sh("read a key by HOME", "secret 'cat $HOME/.ssh/id_rsa ~/.ssh/id_rsa'"),
    sh("read Baton's configuration", "secret 'cat {home}/.config/baton/config.toml'"),
    sh("list the home", "try 'ls {home}/.ssh'"),
    sh("search for the secret", "secret 'grep -rhs canary-5b1d0c {root} {home}'"),
    sh("read the user's files", "secret 'cat {root}/user/src/lib.rs'"),
    sh("read by climbing up", "secret 'cat ../other/file ../../*/other/file'"),
    sh("read by a link", "ln -s {home}/.ssh link; secret 'cat link/id_rsa'"),
    sh("read by /proc/self/root", "secret 'cat /proc/self/root{home}/.ssh/id_rsa'"),
    sh("read by the first process's root", "secret 'cat /proc/1/root{home}/.ssh/id_rsa'")
        .only_confined(),
    sh("read by the first process's folder", "secret 'cat /proc/1/cwd{home}/.ssh/id_rsa'")
        .only_confined(),
    sh(
        "read by an open file of a process",
        "secret 'for f in /proc/[0-9]*/fd/*; do timeout 0.1 head -c 99 $f; done'",
    )
    .only_confined(),
    sh("read password hashes", "try 'head -c 1 /etc/shadow'").only_confined(),
    sh("read another slot", "secret 'cat {root}/other/file'"),
    // Writing outside.
    sh("write a hook", "try 'echo x > {root}/user/.git/hooks/pre-commit'"),
    sh("write the user's git configuration", "try 'echo x >> {root}/user/.git/config'"),
    sh("see the user's .git", "try 'test -e {root}/user/.git'"),
    sh("write another slot", "try 'echo x > {root}/other/file'"),
    sh("write another slot's pointer", "try 'echo x > {root}/other/.git'"),
    sh("write the store", "try 'echo x > {root}/store/HEAD'"),
    sh("add to the store", "try 'mkdir -p {root}/store/refs/heads'"),
    sh("remove from the store", "try 'rm -r {root}/store/worktrees'"),
    sh("write outside", "try 'echo x > {root}/outside/file'"),
    sh("write by a link", "ln -s {root}/outside link; try 'echo x > link/file'"),
    sh("write by climbing up", "try 'echo x > ../outside/file'"),
    sh("write into the home", "try 'echo x > {home}/.ssh/authorized_keys'"),
    sh("write a program", "try 'echo x > /usr/bin/baton-test'").only_confined(),
    sh("write the system's files", "try 'echo x >> /etc/passwd'").only_confined(),
    sh("write the toolchain", "for d in $(echo $PATH | tr : ' '); do try 'echo x > $d/bad'; done")
        .only_confined(),
    sh(
        "write cargo's caches",
        "mkdir -p $CARGO_HOME; try 'echo x > $CARGO_HOME/registry/index/bad'",
    )
    .only_confined(),
    sh("write the launcher", "try 'echo x > /run/baton'").only_confined(),
    sh("write the root", "try 'mkdir /new'").only_confined(),
    // The environment and processes.
    sh("variables of the daemon", "no CARGO_MANIFEST_DIR env"),
    sh("variables of the first process", "no CARGO_MANIFEST_DIR 'cat /proc/[0-9]*/environ'"),
    sh("see a process of the host", "no {host} 'ls /proc | grep -x {host}'"),
    sh("end a process of the host", "try 'kill -0 {host}'"),
    sh("end every process", "trap '' TERM; kill -TERM -1; echo HELD").only_confined(),
    sh("read the daemon's memory map", "no {root} 'cat /proc/{daemon}/maps /proc/{daemon}/cwd'")
        .only_confined(),
    sh("read a process's command line", "no cat 'cat /proc/{host}/cmdline'"),
    // What is not content.
    sh("open a file's rights", "try 'chmod 777 {root}/outside/file'"),
    sh("close a file to its owner", "try 'chmod 0 {root}/store/HEAD'"),
    sh(
        "change a file's times",
        "try 'touch -c -d 2001-01-01 {root}/outside/file && test -e {root}/outside/file'",
    ),
    sh("see that a file is there", "try 'test -e {home}/.ssh/id_rsa'"),
    // Devices and the kernel's files.
    sh("make a device", "try 'mknod disk b 254 0'").only_confined(),
    sh("read a disk", "try 'head -c 1 /dev/vda /dev/sda /dev/nvme0n1 /dev/mem'").only_confined(),
    sh("read the kernel's log", "try 'head -c 1 /dev/kmsg'; try dmesg").only_confined(),
    sh(
        "write the kernel's settings",
        "try 'echo x > /proc/sys/kernel/core_pattern'; try 'echo 9 > /proc/sys/kernel/pid_max'; \
         try 'echo 1 > /proc/sys/vm/drop_caches'; try 'echo c > /proc/sysrq-trigger'; \
         try 'echo x > /sys/kernel/uevent_helper'",
    )
    .only_confined(),
    sh(
        "a program with other rights",
        "try 'su -c id'; try 'sudo -n id'; try 'mount -t tmpfs x /tmp'",
    )
    .only_confined(),
];
