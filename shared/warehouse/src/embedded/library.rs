//! The C interface of libchdb, made safe: the library, a connection, its results.
//!
//! Source: `chdb.h` of chdb-core 26.7. Every call that touches a connection takes `&mut Connection`: a connection runs
//! one statement at a time, on any thread.
#![expect(unsafe_code, reason = "the one place where C functions of libchdb are called")]

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    path::Path,
    ptr, slice,
    sync::OnceLock,
};

use libloading::Library;

type Result_ = *mut c_void;
type Conn = *mut c_void;
type Stream = *mut c_void;
type Query = unsafe extern "C" fn(
    Conn,
    *const c_char,
    usize,
    *const c_char,
    usize,
    *const *const c_char,
    *const usize,
    *const *const c_char,
    *const usize,
    usize,
) -> Result_;

/// The functions that are used, by their names in the library.
struct Api {
    chdb_connect: unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut Conn,
    chdb_close_conn: unsafe extern "C" fn(*mut Conn),
    chdb_query_with_params_n: Query,
    chdb_stream_query_with_params_n: Query,
    chdb_stream_fetch_result: unsafe extern "C" fn(Conn, Result_) -> Result_,
    chdb_stream_cancel_query: unsafe extern "C" fn(Conn, Result_),
    chdb_stream_insert_n: unsafe extern "C" fn(Conn, *const c_char, usize, *const c_char, usize) -> Stream,
    chdb_stream_append: unsafe extern "C" fn(Stream, *const c_void, usize) -> c_int,
    chdb_stream_done: unsafe extern "C" fn(Stream) -> Result_,
    chdb_stream_cancel_insert: unsafe extern "C" fn(Stream),
    chdb_stream_insert_error: unsafe extern "C" fn(Stream) -> *const c_char,
    chdb_destroy_insert_stream: unsafe extern "C" fn(Stream),
    chdb_destroy_query_result: unsafe extern "C" fn(Result_),
    chdb_result_buffer: unsafe extern "C" fn(Result_) -> *const c_char,
    chdb_result_length: unsafe extern "C" fn(Result_) -> usize,
    chdb_result_error: unsafe extern "C" fn(Result_) -> *const c_char,
    chdb_result_storage_rows_read: unsafe extern "C" fn(Result_) -> u64,
    chdb_result_rows_written: unsafe extern "C" fn(Result_) -> u64,
    chdb_set_signal_handlers_enabled: unsafe extern "C" fn(c_int),
    /// Never unloaded: the engine's threads and exit handlers live in it.
    _library: Library,
}

static API: OnceLock<Api> = OnceLock::new();

/// Loads the library once per process. The error says what the loader said.
pub fn load(path: &Path) -> Result<(), String> {
    if API.get().is_some() {
        return Ok(());
    }
    // SAFETY: libchdb's initialisers run here; it is ClickHouse, pinned by deps/package-lock.json, and expects to be
    // loaded into a running process. The types below are those of chdb.h.
    let api = unsafe { bind(path) }.map_err(|e| e.to_string())?;
    // SAFETY: allowed before the first connection. The service handles its signals itself.
    unsafe { (api.chdb_set_signal_handlers_enabled)(0) };
    let _ = API.set(api);
    Ok(())
}

/// # Safety
/// `path` must be a libchdb of the interface above.
unsafe fn bind(path: &Path) -> Result<Api, libloading::Error> {
    // SAFETY: the caller vouches for the file.
    let library = unsafe { Library::new(path) }?;
    macro_rules! api {
        ($($name:ident),+ $(,)?) => {
            // SAFETY: each field's type is the declaration of that name in chdb.h.
            Api { $($name: *unsafe { library.get(concat!(stringify!($name), "\0").as_bytes()) }?,)+ _library: library }
        };
    }
    Ok(api!(
        chdb_connect,
        chdb_close_conn,
        chdb_query_with_params_n,
        chdb_stream_query_with_params_n,
        chdb_stream_fetch_result,
        chdb_stream_cancel_query,
        chdb_stream_insert_n,
        chdb_stream_append,
        chdb_stream_done,
        chdb_stream_cancel_insert,
        chdb_stream_insert_error,
        chdb_destroy_insert_stream,
        chdb_destroy_query_result,
        chdb_result_buffer,
        chdb_result_length,
        chdb_result_error,
        chdb_result_storage_rows_read,
        chdb_result_rows_written,
        chdb_set_signal_handlers_enabled,
    ))
}

fn api() -> Option<&'static Api> {
    API.get()
}

/// A session of its own: settings and the current database end with it.
pub struct Connection {
    api: &'static Api,
    raw: *mut Conn,
}

// SAFETY: chdb.h allows a connection on any thread, one statement at a time; `&mut self` sees to the latter.
unsafe impl Send for Connection {}

impl Connection {
    /// Connects with arguments such as `--path=…`; the first connection of a process starts the engine.
    pub fn open(arguments: &[String]) -> Option<Self> {
        let api = api()?;
        let owned: Vec<CString> =
            std::iter::once("clickhouse").chain(arguments.iter().map(String::as_str)).map(CString::new).collect::<Result<_, _>>().ok()?;
        let mut argv: Vec<*mut c_char> = owned.iter().map(|a| a.as_ptr().cast_mut()).collect();
        let count = c_int::try_from(argv.len()).ok()?;
        // SAFETY: argv holds `count` strings that end in NUL and outlive the call, which copies them.
        let raw = unsafe { (api.chdb_connect)(count, argv.as_mut_ptr()) };
        // SAFETY: a connection that is not null points to its handle.
        let opened = !raw.is_null() && !unsafe { *raw }.is_null();
        opened.then_some(Self { api, raw })
    }

    fn handle(&self) -> Conn {
        // SAFETY: `raw` is not null while the connection lives.
        unsafe { *self.raw }
    }

    fn call(&self, function: Query, sql: &str, format: &str, parameters: &[(String, String)]) -> Answer {
        let names: Vec<_> = parameters.iter().map(|(n, _)| n.as_ptr().cast::<c_char>()).collect();
        let name_lengths: Vec<_> = parameters.iter().map(|(n, _)| n.len()).collect();
        let values: Vec<_> = parameters.iter().map(|(_, v)| v.as_ptr().cast::<c_char>()).collect();
        let value_lengths: Vec<_> = parameters.iter().map(|(_, v)| v.len()).collect();
        // SAFETY: every pointer comes with its length and outlives the call; the connection is open.
        let raw = unsafe {
            function(
                self.handle(),
                sql.as_ptr().cast(),
                sql.len(),
                format.as_ptr().cast(),
                format.len(),
                names.as_ptr(),
                name_lengths.as_ptr(),
                values.as_ptr(),
                value_lengths.as_ptr(),
                parameters.len(),
            )
        };
        Answer { api: self.api, raw }
    }

    /// Runs one statement to its end.
    pub fn query(&mut self, sql: &str, format: &str, parameters: &[(String, String)]) -> Answer {
        self.call(self.api.chdb_query_with_params_n, sql, format, parameters)
    }

    /// Runs a SELECT whose answer comes block by block: each is given to `take` until it says no. A format's header
    /// stands before every block.
    pub fn stream(
        &mut self,
        sql: &str,
        format: &str,
        parameters: &[(String, String)],
        mut take: impl FnMut(Result<&[u8], String>) -> bool,
    ) {
        let start = self.call(self.api.chdb_stream_query_with_params_n, sql, format, parameters);
        if let Some(error) = start.error() {
            take(Err(error));
            return;
        }
        loop {
            // SAFETY: the stream was started on this connection and is not yet at its end.
            let block = Answer { api: self.api, raw: unsafe { (self.api.chdb_stream_fetch_result)(self.handle(), start.raw) } };
            if let Some(error) = block.error() {
                take(Err(error));
                return;
            }
            if block.bytes().is_empty() {
                return;
            }
            if !take(Ok(block.bytes())) {
                // SAFETY: as above; what was started is still running.
                unsafe { (self.api.chdb_stream_cancel_query)(self.handle(), start.raw) };
                return;
            }
        }
    }

    /// Begins `INSERT INTO …` (without FORMAT) for data in `format`.
    pub fn insert(&mut self, sql: &str, format: &str) -> Insert<'_> {
        // SAFETY: both strings come with their lengths and are copied.
        let raw =
            unsafe { (self.api.chdb_stream_insert_n)(self.handle(), sql.as_ptr().cast(), sql.len(), format.as_ptr().cast(), format.len()) };
        Insert { api: self.api, raw, finished: false, _connection: self }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: opened by `open` and closed once; the last one stops the engine.
        unsafe { (self.api.chdb_close_conn)(self.raw) };
    }
}

/// An INSERT that takes its data piece by piece; dropped before [`Insert::finish`], it is cancelled.
pub struct Insert<'c> {
    api: &'static Api,
    raw: Stream,
    finished: bool,
    _connection: &'c mut Connection,
}

impl Insert<'_> {
    /// What went wrong so far.
    pub fn error(&self) -> Option<String> {
        // SAFETY: the stream lives.
        text(unsafe { (self.api.chdb_stream_insert_error)(self.raw) })
    }

    /// Adds data; false once the insert has failed.
    pub fn append(&mut self, data: &[u8]) -> bool {
        // SAFETY: the data is copied by the call.
        unsafe { (self.api.chdb_stream_append)(self.raw, data.as_ptr().cast(), data.len()) == 0 }
    }

    /// Ends the data and waits until the rows are written.
    pub fn finish(mut self) -> Answer {
        self.finished = true;
        // SAFETY: called once; the stream itself is freed by drop.
        Answer { api: self.api, raw: unsafe { (self.api.chdb_stream_done)(self.raw) } }
    }
}

impl Drop for Insert<'_> {
    fn drop(&mut self) {
        // SAFETY: each stream is destroyed once, cancelled before that if it was not finished.
        unsafe {
            if !self.finished {
                (self.api.chdb_stream_cancel_insert)(self.raw);
            }
            (self.api.chdb_destroy_insert_stream)(self.raw);
        }
    }
}

/// What a statement answered.
pub struct Answer {
    api: &'static Api,
    raw: Result_,
}

impl Answer {
    /// ClickHouse's message if the statement failed.
    pub fn error(&self) -> Option<String> {
        if self.raw.is_null() {
            return Some("libchdb gave no answer".to_owned());
        }
        // SAFETY: the result lives.
        text(unsafe { (self.api.chdb_result_error)(self.raw) })
    }

    /// The formatted rows.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: buffer and length belong together and live as long as the result.
        unsafe {
            let (buffer, length) = ((self.api.chdb_result_buffer)(self.raw), (self.api.chdb_result_length)(self.raw));
            if ptr::eq(buffer, ptr::null()) || length == 0 { &[] } else { slice::from_raw_parts(buffer.cast(), length) }
        }
    }

    /// Rows read from tables.
    pub fn rows_read(&self) -> u64 {
        // SAFETY: the result lives.
        unsafe { (self.api.chdb_result_storage_rows_read)(self.raw) }
    }

    /// Rows written, those of materialized views included.
    pub fn rows_written(&self) -> u64 {
        // SAFETY: the result lives.
        unsafe { (self.api.chdb_result_rows_written)(self.raw) }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if !self.raw.is_null() {
            // SAFETY: destroyed once.
            unsafe { (self.api.chdb_destroy_query_result)(self.raw) };
        }
    }
}

/// A C string, none if null or empty.
fn text(message: *const c_char) -> Option<String> {
    if message.is_null() {
        return None;
    }
    // SAFETY: messages of libchdb end in NUL and live as long as what they belong to.
    let message = unsafe { CStr::from_ptr(message) }.to_string_lossy();
    (!message.is_empty()).then(|| message.into_owned())
}
