//! The machine: what it is, and what a process takes of it.

use std::{env, fs, path::PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// Returns where the nodes' files go: a real disk, since a file system in memory syncs for nothing.
pub(crate) fn disk() -> PathBuf {
    env::var_os("TMPDIR").map_or_else(|| "/var/tmp".into(), PathBuf::from)
}

/// Describes the machine.
pub(crate) fn describe() -> Value {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or_default();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = memory.lines().next().unwrap_or_default();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    json!({
        "cpu": model.trim_start_matches([' ', '\t', ':']),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "memory": total.trim_start_matches("MemTotal:").trim(),
        "kernel": kernel.trim(),
        "disk": disk(),
    })
}

/// Returns how much of a process is in memory.
pub(crate) fn resident_kib(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("the process tells no size")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
