//! Which connections a process has.

#![allow(clippy::missing_panics_doc, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{collections::HashSet, fs};

/// The state of an established connection in `/proc/PID/net/tcp`.
const ESTABLISHED: &str = "01";

/// How many established connections the process `pid` has to `port`.
pub fn connected(pid: u32, port: u16) -> usize {
    let Ok(open) = fs::read_dir(format!("/proc/{pid}/fd")) else { return 0 };
    let links = open.filter_map(Result::ok).filter_map(|entry| fs::read_link(entry.path()).ok());
    let sockets: HashSet<String> = links.filter_map(|link| inode(&link.to_string_lossy())).collect();
    let tables = ["tcp", "tcp6"].map(|table| fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default());
    let lines = tables.iter().flat_map(|table| table.lines().skip(1));
    lines.filter(|line| is_to(line, port).is_some_and(|socket| sockets.contains(socket))).count()
}

/// Of `socket:[INODE]`.
fn inode(link: &str) -> Option<String> {
    link.strip_prefix("socket:[")?.strip_suffix(']').map(str::to_owned)
}

/// The inode of a line that is an established connection to `port`.
fn is_to(line: &str, port: u16) -> Option<&str> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (remote, state, inode) = (fields.get(2)?, fields.get(3)?, fields.get(9)?);
    let to = u16::from_str_radix(remote.rsplit_once(':')?.1, 16).ok()?;
    (to == port && *state == ESTABLISHED).then_some(*inode)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn connections_are_counted_while_they_are_open() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let open: Vec<_> = (0..3).map(|_| TcpStream::connect(address).unwrap()).collect();
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let _to_another = TcpStream::connect(other.local_addr().unwrap()).unwrap();
        assert_eq!(connected(std::process::id(), address.port()), open.len());
        drop(open);
        assert_eq!(connected(std::process::id(), address.port()), 0);
    }
}
