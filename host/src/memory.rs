//! How this process keeps its memory, and how much it may take.

use std::{fs, path::Path};

use libc::c_char;
use tikv_jemallocator::Jemalloc;

/// An eighth less processor time for an event than with glibc's malloc, which took a fifth of it all.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// jemalloc's options (<https://jemalloc.net/jemalloc.3.html>): few arenas, and what is free for a second goes back to
/// the system.
#[expect(unsafe_code, reason = "jemalloc reads a symbol of this name")]
// SAFETY: of the type and the name that jemalloc declares.
#[unsafe(export_name = "_rjem_malloc_conf")]
static OPTIONS: Option<&'static c_char> =
    Some(unsafe { &*c"narenas:2,background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0".as_ptr() });

/// Has all threads share two of glibc's arenas, for the libraries in C. To be called first: an arena that is there stays.
///
/// By default glibc makes an arena for nearly every thread, up to eight a core, and what is freed in one is no use to
/// the others: under load 579 MB were held where 152 MB were in use (`malloc_stats`). Two arenas take 200 MB less at
/// the peak and no more processor time; mimalloc took as much as the default.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "no safe crate sets it")]
pub fn share_arenas() {
    const ARENAS: libc::c_int = 2;
    // SAFETY: mallopt(3) takes any numbers, and no other thread runs yet.
    let set = unsafe { libc::mallopt(libc::M_ARENA_MAX, ARENAS) };
    if set != 1 {
        eprintln!("clickstream: malloc keeps its arenas apart, and takes more memory for it");
    }
}

/// Other allocators have no such arenas.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn share_arenas() {}

/// Bytes of memory that the process may take: the lowest limit of its control groups
/// (<https://docs.kernel.org/admin-guide/cgroup-v2.html>), else what the machine has. None where neither is told.
pub fn limit() -> Option<u64> {
    let told = |path: &Path| fs::read_to_string(path).ok();
    let groups = told(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let machine = told(Path::new("/proc/meminfo")).and_then(|text| total(&text));
    limits(&groups, told).chain(machine).min()
}

/// Limits of the groups that `/proc/self/cgroup` names and of those that they are in; of version 1 that of the container.
fn limits(groups: &str, told: impl Fn(&Path) -> Option<String>) -> impl Iterator<Item = u64> {
    let own = groups.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/").trim_start_matches('/');
    let root = Path::new("/sys/fs/cgroup");
    let all = root.join(own);
    let of_two = all.ancestors().take_while(|path| path.starts_with(root)).map(|path| path.join("memory.max"));
    let limits: Vec<_> =
        of_two.chain([root.join("memory/memory.limit_in_bytes")]).filter_map(|path| told(&path)?.trim().parse().ok()).collect();
    limits.into_iter()
}

/// `MemTotal` of `/proc/meminfo`, bytes.
fn total(meminfo: &str) -> Option<u64> {
    let kib: u64 = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_limit_of_the_control_groups_holds() {
        let files =
            [("/sys/fs/cgroup/a/b/memory.max", "max"), ("/sys/fs/cgroup/a/memory.max", "1048576"), ("/sys/fs/cgroup/memory.max", "9")];
        let told = |path: &Path| files.iter().find(|(known, _)| Path::new(known) == path).map(|(_, text)| format!("{text}\n"));
        assert_eq!(limits("12:pids:/x\n0::/a/b\n", told).collect::<Vec<_>>(), [1_048_576, 9]);
        assert_eq!(limits("", |_| None).count(), 0);
        assert_eq!(total("MemFree: 1 kB\nMemTotal:       24684304 kB\n"), Some(24_684_304 << 10));
        assert!(limit().is_some_and(|bytes| bytes > 0));
    }
}
