//! What an HTTP request asks of ClickHouse: statement, parameters, settings, database, format.

use std::borrow::Cow;

use http::{HeaderMap, StatusCode, header};

use crate::config::is_identifier;

/// A refusal in ClickHouse's own words.
#[derive(Debug)]
pub struct Refusal {
    /// HTTP status.
    pub status: StatusCode,
    /// `Code: N. DB::Exception: …`.
    pub text: String,
}

impl Refusal {
    /// A refusal under one of ClickHouse's error codes.
    pub fn new(status: StatusCode, code: u32, name: &str, why: &str) -> Self {
        Self { status, text: format!("Code: {code}. DB::Exception: {why}. ({name})\n") }
    }
}

/// Names in the URL that are neither parameters nor settings, and need no action in one process without sessions.
const IGNORED: [&str; 7] =
    ["query_id", "quota_key", "wait_end_of_query", "buffer_size", "user", "password", "send_progress_in_http_headers"];

/// One request, without the data of an INSERT.
#[derive(Debug, Default)]
pub struct Request {
    /// The statement, as far as the URL holds it.
    pub statement: String,
    /// `param_{name}` without the prefix; values in ClickHouse's escaped form.
    pub parameters: Vec<(String, String)>,
    /// Settings of this request.
    pub settings: Vec<(String, String)>,
    /// The database to use.
    pub database: Option<String>,
    /// The format where the statement names none.
    pub format: Option<String>,
}

impl Request {
    /// Reads the URL's query and the headers.
    pub fn parse(query: &str, headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut request = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            request.take(&name, value)?;
        }
        for (header, place) in [("x-clickhouse-database", &mut request.database), ("x-clickhouse-format", &mut request.format)] {
            if let Some(value) = headers.get(header).and_then(|v| v.to_str().ok()) {
                place.get_or_insert_with(|| value.to_owned());
            }
        }
        if headers.contains_key(header::CONTENT_ENCODING) {
            return Err(not_done("bodies with a Content-Encoding are not taken here: send them uncompressed"));
        }
        Ok(request)
    }

    fn take(&mut self, name: &str, value: Cow<'_, str>) -> Result<(), Refusal> {
        match name {
            "query" => self.statement.push_str(&value),
            "database" => self.database = Some(value.into_owned()),
            "default_format" => self.format = Some(value.into_owned()),
            "session_id" => return Err(not_done("sessions are not kept here: name settings and database in each request")),
            "compress" | "decompress" if value == "1" => {
                return Err(not_done("native compression is not spoken here: turn it off in the client (compress=0 in WAREHOUSE_URL)"));
            }
            "compress" | "decompress" => {}
            name if IGNORED.contains(&name) => {}
            name => match name.strip_prefix("param_") {
                Some(parameter) => self.parameters.push((parameter.to_owned(), value.into_owned())),
                None if is_identifier(name) => self.settings.push((name.to_owned(), value.into_owned())),
                None => return Err(Refusal::new(StatusCode::NOT_FOUND, 115, "UNKNOWN_SETTING", &format!("Unknown setting '{name}'"))),
            },
        }
        Ok(())
    }

    /// Adds the fields of a form: the client sends the statement and its parameters this way.
    pub fn take_form(&mut self, content_type: &str, body: &[u8]) -> Result<(), Refusal> {
        let bad = || Refusal::new(StatusCode::BAD_REQUEST, 36, "BAD_ARGUMENTS", "The multipart form cannot be read");
        let boundary = content_type.split("boundary=").nth(1).map(|b| b.trim_matches('"')).filter(|b| !b.is_empty()).ok_or_else(bad)?;
        let body = std::str::from_utf8(body).map_err(|_| bad())?;
        let between = format!("\r\n--{boundary}");
        let body = body.strip_prefix(&format!("--{boundary}")).ok_or_else(bad)?;
        for part in body.split(&between).take_while(|part| !part.starts_with("--")) {
            let (head, value) = part.split_once("\r\n\r\n").ok_or_else(bad)?;
            let name = head.split("name=\"").nth(1).and_then(|n| n.split('"').next()).ok_or_else(bad)?;
            if name != "query" && !name.starts_with("param_") {
                return Err(bad());
            }
            self.take(name, Cow::Borrowed(value))?;
        }
        Ok(())
    }

    /// True for an INSERT whose data is the body.
    pub fn is_insert(&self) -> bool {
        first_word(&self.statement).eq_ignore_ascii_case("insert")
    }

    /// True where the answer may be given block by block: a SELECT in a format whose blocks only repeat their header.
    pub fn is_stream(&self) -> bool {
        let reads = ["select", "with"].iter().any(|w| first_word(&self.statement).eq_ignore_ascii_case(w));
        reads && self.format.as_deref().is_some_and(|f| super::blocks::STREAMED.contains(&f)) && split_format(&self.statement).is_none()
    }
}

fn not_done(why: &str) -> Refusal {
    Refusal::new(StatusCode::NOT_IMPLEMENTED, 48, "NOT_IMPLEMENTED", why)
}

fn first_word(statement: &str) -> &str {
    let start = statement.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    &start[..start.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(start.len())]
}

/// Splits `… FORMAT Name` at its end into what stands before and the name.
pub fn split_format(statement: &str) -> Option<(&str, &str)> {
    let text = statement.trim_end_matches(|c: char| c.is_whitespace() || c == ';');
    let name = text.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().filter(|name| name.len() < text.len())?;
    let before = text[..text.len() - name.len()].trim_end();
    let keyword = before.len().checked_sub(6).and_then(|at| before.get(at..))?;
    let head = &before[..before.len() - 6];
    (!name.is_empty() && keyword.eq_ignore_ascii_case("format") && head.ends_with(|c: char| c.is_whitespace() || c == ')'))
        .then(|| (head.trim_end(), name))
}

/// Refuses what libchdb would take and then lose: rows read by `input()`, and binary data behind a statement.
pub fn refuse_what_would_be_lost(statement: &str) -> Result<(), Refusal> {
    if !first_word(statement).eq_ignore_ascii_case("insert") {
        return Ok(());
    }
    let head: String = statement.chars().take(4_096).collect::<String>().to_ascii_lowercase();
    if head.contains("input(") {
        return Err(not_done(
            "INSERT … SELECT … FROM input() is not done by ClickHouse in process: insert into a table of engine Null with a materialized view",
        ));
    }
    let binary = ["format parquet", "format native", "format rowbinary", "format arrow", "format orc", "format avro"];
    if binary.iter().any(|format| head.contains(format)) {
        return Err(not_done(
            "binary data behind the statement would be cut: put the statement into the URL's query= and the data into the body",
        ));
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_told_apart_into_statement_parameters_and_settings() {
        let request =
            Request::parse("query=SELECT+1&database=d&default_format=CSV&param_a=b%27c&max_threads=1&query_id=x", &HeaderMap::new())
                .unwrap();
        assert_eq!(request.statement, "SELECT 1");
        assert_eq!(request.parameters, [("a".to_owned(), "b'c".to_owned())]);
        assert_eq!(request.settings, [("max_threads".to_owned(), "1".to_owned())]);
        assert!(request.is_stream() && !request.is_insert());
    }

    #[test]
    fn a_setting_that_is_no_name_is_refused() {
        let refusal = Request::parse("a%27%3B=1", &HeaderMap::new()).unwrap_err();
        assert!(refusal.text.starts_with("Code: 115."), "{}", refusal.text);
    }

    #[test]
    fn a_form_holds_statement_and_parameters() {
        let body = "--b\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nSELECT {x:String}\r\n--b\r\nContent-Disposition: form-data; name=\"param_x\"\r\n\r\na\r\nb\r\n--b--\r\n";
        let mut request = Request::default();
        request.take_form("multipart/form-data; boundary=b", body.as_bytes()).unwrap();
        assert_eq!(request.statement, "SELECT {x:String}");
        assert_eq!(request.parameters, [("x".to_owned(), "a\r\nb".to_owned())]);
        assert!(request.take_form("multipart/form-data; boundary=c", body.as_bytes()).is_err());
    }

    #[test]
    fn the_format_stands_at_the_end() {
        assert_eq!(split_format("INSERT INTO t(a, b) FORMAT Parquet\n"), Some(("INSERT INTO t(a, b)", "Parquet")));
        assert_eq!(split_format("INSERT INTO t(a)FORMAT CSV"), Some(("INSERT INTO t(a)", "CSV")));
        assert_eq!(split_format("SELECT format"), None);
        assert_eq!(split_format("SELECT 1"), None);
        assert_eq!(split_format("SELECT"), None);
        assert_eq!(split_format("SELECT 'ы'ыFORMAT"), None);
    }

    #[test]
    fn what_would_be_lost_is_refused() {
        assert!(refuse_what_would_be_lost("insert into t select a from input('a UInt8') format CSV\n1").is_err());
        assert!(refuse_what_would_be_lost("INSERT INTO t FORMAT Parquet PAR1").is_err());
        assert!(refuse_what_would_be_lost("INSERT INTO t VALUES (1)").is_ok());
        assert!(refuse_what_would_be_lost("SELECT 'input('").is_ok());
    }
}
