//! Who waits when processors are short: what runs behind a request, not the request.

/// Lets other threads go before this one and those that it starts.
///
/// Of a thread, not of the process: Linux differs from POSIX here (sched(7)).
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "no safe crate in use sets it")]
pub fn step_back() {
    /// How far, of 19.
    const NICE: libc::c_int = 5;
    // SAFETY: setpriority(2) takes any numbers; 0 is the calling thread. That it fails changes nothing but who waits.
    let _ = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICE) };
}

/// Elsewhere a priority is the whole process's.
#[cfg(not(target_os = "linux"))]
pub fn step_back() {}
