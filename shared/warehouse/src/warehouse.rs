//! The client: where it connects, and how statements are sent.

use bytes::Bytes;
use clickhouse::{Client, Compression, query::Query};
use clickstream_telemetry::called;

use crate::{WarehouseConfig, WarehouseError};

/// Settings of every statement. Sets of more values than this are not looked up in indexes: doing so with the
/// million ids of what is fresh costs more than reading the column. 64-bit integers are numbers in JSON.
const SETTINGS: [(&str, &str); 2] =
    [("use_index_for_in_with_subqueries_max_values", "1000"), ("output_format_json_quote_64bit_integers", "0")];

/// Settings of what reads many rows: it spills to disk before it takes much memory. Bytes.
const SPILL: [(&str, &str); 3] = [
    ("max_memory_usage", "400000000"),
    ("max_bytes_before_external_group_by", "120000000"),
    ("max_bytes_before_external_sort", "120000000"),
];

/// Makes the request `operation` to ClickHouse, counted and timed.
pub(crate) async fn requested<T>(
    operation: &'static str,
    request: impl Future<Output = Result<T, WarehouseError>>,
) -> Result<T, WarehouseError> {
    called("warehouse", operation, |_| true, request).await
}

/// A ClickHouse database with our tables. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Warehouse {
    client: Client,
    database: String,
    /// Days that lie further back are closed.
    pub(crate) open_days: Option<u32>,
}

impl std::fmt::Debug for Warehouse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Warehouse").field("database", &self.database).finish_non_exhaustive()
    }
}

impl Warehouse {
    /// A client of `config`; it connects with its first statement.
    pub fn connect(config: &WarehouseConfig) -> Self {
        let compression = if config.compress { Compression::Lz4 } else { Compression::None };
        let mut client = Client::default().with_url(&config.url).with_database(&config.database).with_compression(compression);
        if let Some(user) = &config.user {
            client = client.with_user(user);
        }
        if let Some(password) = &config.password {
            client = client.with_password(password);
        }
        for (name, value) in SETTINGS {
            client = client.with_setting(name, value);
        }
        Self { client, database: config.database.clone(), open_days: None }
    }

    /// Marts of days more than `days` ago are closed: they stay as they are and are never rebuilt. For where the lake lets
    /// go of older days. Those that it let go of are closed in any case ([`Warehouse::closed_before`]); this closes them
    /// before their events go, so that no rebuild that is under way sees half of them.
    #[must_use]
    pub fn closing_after(self, days: Option<u32>) -> Self {
        Self { open_days: days, ..self }
    }

    /// A client of `http[s]://[user:password@]host:port[/database]`.
    pub fn from_url(url: &str) -> Result<Self, WarehouseError> {
        WarehouseConfig::from_url(url).map(|config| Self::connect(&config))
    }

    /// The database that holds the tables.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The official client, on the same database and connections.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A statement whose values are bound with `param`. The text is ours; a `?` in it is not a placeholder.
    pub(crate) fn query(&self, sql: &str) -> Query {
        self.client.query_raw(sql)
    }

    /// A statement that may read many rows.
    pub(crate) fn large_query(&self, sql: &str) -> Query {
        SPILL.iter().fold(self.query(sql), |query, (name, value)| query.with_setting(*name, *value))
    }

    /// A client before the database exists.
    pub(crate) fn without_database(&self) -> Client {
        self.client.clone().with_database("default")
    }

    /// Sends one Parquet file as one INSERT; when it returns, the rows are on disk.
    pub(crate) async fn insert_parquet(&self, sql: String, settings: &[(&str, String)], parquet: Bytes) -> Result<(), WarehouseError> {
        let mut insert = self.client.insert_formatted_with(sql).with_setting("async_insert", "0");
        for (name, value) in settings {
            insert = insert.with_setting(*name, value.as_str());
        }
        requested("insert", async {
            // In pieces, so that neither side holds the file twice.
            let mut rest = parquet;
            while !rest.is_empty() {
                let piece = rest.split_to(rest.len().min(1 << 20));
                insert.send(piece).await?;
            }
            Ok(insert.end().await?)
        })
        .await
    }
}
