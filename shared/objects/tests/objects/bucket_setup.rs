//! Making a bucket that stands already, though nobody could look at it.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
};

use clickstream_objects::{
    ObjectError,
    s3::{S3Config, S3Objects},
};

/// A server that lets nobody look at a bucket and refuses to make one by `code`.
fn refusing(code: &'static str) -> S3Config {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut lines = BufReader::new(connection.try_clone().unwrap()).lines().map_while(Result::ok);
            let asked = lines.next().unwrap_or_default();
            // The rest of the head; no request has a body.
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let (status, body) = if asked.starts_with("HEAD") {
                ("403 Forbidden", String::new())
            } else {
                ("409 Conflict", format!("<Error><Code>{code}</Code><Message>no</Message></Error>"))
            };
            let length = body.len();
            write!(connection, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
        }
    });
    let key = || Some("key".to_owned());
    S3Config { bucket: "shop".to_owned(), endpoint: Some(endpoint), region: "us-east-1".to_owned(), access_key: key(), secret_key: key() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_another_host_of_ours_made_is_there_and_one_of_somebody_else_is_refused() {
    let ours = S3Objects::connect(&refusing("BucketAlreadyOwnedByYou")).await;
    assert!(!ours.make_bucket().await.unwrap());
    let theirs = S3Objects::connect(&refusing("BucketAlreadyExists")).await;
    let error = theirs.make_bucket().await.unwrap_err();
    assert!(matches!(&error, ObjectError::Refused(why) if why.contains("of the name shop")), "{error}");
}
