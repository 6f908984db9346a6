//! Open files: a connection takes one, and so does each part of a table.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Lets this process open as many files as the system allows it: the usual soft limit of 1,024 is kept for programs that
/// use select(2), and this one does not (<https://0pointer.net/blog/file-descriptor-limits.html>).
pub fn open_many() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // That it fails is seen where files are opened.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}
