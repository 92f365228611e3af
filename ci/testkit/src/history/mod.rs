//! Histories: the calls of clients, their results, and the changes of the store, as JSON lines with times of one clock.
//!
//! ```
//! use etcd_testkit::history::{Action, Edge, History, Recorder, Rev, Value};
//!
//! # let folder = tempfile::tempdir()?;
//! let recorder = Recorder::create(folder.path().join("history.jsonl"), "3.6.1", 7)?;
//! let op = recorder.op();
//! let put = Action::Put { key: "k".to_owned(), value: Value::of(b"v"), lease: None };
//! recorder.record(Edge::Invoke { op, actions: vec![put] });
//! recorder.record(Edge::Ok { op, revision: Rev(2), changed: Some(true) });
//! recorder.finish()?;
//! assert_eq!(History::read(recorder.path())?.lines().count(), 3);
//! # Ok::<(), anyhow::Error>(())
//! ```

mod ids;
mod reader;
mod record;
mod recorder;
mod request;
mod text;

pub use ids::{HoldId, LeaseId, Nanos, OpId, Rev, WatchId};
pub use reader::History;
pub use record::{Change, Edge, Event, Previous, Record, SCHEMA, Share};
pub use recorder::Recorder;
pub use request::{Action, Keys, WatchRequest};
pub use text::{Value, key};
