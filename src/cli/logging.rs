//! The log: lines on standard error, for people or for machines.

use std::io::Write;

use log::kv::{Error, Key, Value, VisitSource};
use serde_json::Map;

use crate::config::{LogFormat, log_filter};

/// What is written if `RUST_LOG` does not say: everything of ours from `info` up, and others' warnings. What somebody sent
/// that is no HTTP is answered with 400, and is no error of ours.
const USUAL: &str = "warn,actix_http=off,handbill=info";

/// Starts logging. `RUST_LOG` chooses what.
pub(super) fn start(format: LogFormat) {
    let mut logger = env_logger::Builder::new();
    logger.parse_filters(log_filter().as_deref().unwrap_or(USUAL));
    if format == LogFormat::Json {
        logger.format(|out, record| {
            let mut fields = Map::new();
            fields.insert("time".to_owned(), out.timestamp_millis().to_string().into());
            fields.insert("level".to_owned(), record.level().as_str().into());
            fields.insert("target".to_owned(), record.target().into());
            // A field that cannot be read is left out; the rest of the line still tells its story.
            let _ = record.key_values().visit(&mut Fields(&mut fields));
            fields.insert("message".to_owned(), record.args().to_string().into());
            writeln!(out, "{}", serde_json::Value::Object(fields))
        });
    } else {
        logger.format(|out, record| {
            let time = out.timestamp_millis();
            writeln!(out, "{time} {:<5} {}", record.level(), record.args())
        });
    }
    // Tests may start twice in one process; the first wins.
    let _ = logger.try_init();
    std::panic::set_hook(Box::new(|panic| {
        // The payload may quote what a caller sent, so only the place is told.
        let place = panic
            .location()
            .map_or_else(String::new, ToString::to_string);
        log::error!("a panic at {place}");
    }));
}

struct Fields<'a>(&'a mut Map<String, serde_json::Value>);

impl<'kvs> VisitSource<'kvs> for Fields<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        let value = match value.to_u64() {
            Some(number) => number.into(),
            None => value.to_string().into(),
        };
        self.0.insert(key.to_string(), value);
        Ok(())
    }
}
