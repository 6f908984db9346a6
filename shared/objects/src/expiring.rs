//! How raw objects leave a bucket that removes them itself: by a tag that a rule of the bucket waits for.

/// The tag, name and value, of an object that nobody needs any more.
pub const EXPIRED: (&str, &str) = ("clickstream-expired", "true");
/// Where such objects lie.
pub const RAW: &str = "raw/";
