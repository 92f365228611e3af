//! Writes a history while it happens: any number of threads, one clock, a bounded amount of memory.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use anyhow::{Context as _, anyhow};

use super::{Edge, HoldId, Nanos, OpId, Record, SCHEMA, WatchId};

/// The interval between two flushes: records of this time may be lost if the process is killed.
const BUFFER: usize = 64 * 1024;

/// The writing end of a history. A clone writes into the same.
///
/// The lines of a file are in the order of their times. Recording costs a line's formatting and a lock; the file is
/// written whenever 64 KiB are due.
#[derive(Clone, Debug)]
pub struct Recorder {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    began: Instant,
    path: PathBuf,
    numbers: AtomicU64,
    file: Mutex<Writing>,
}

#[derive(Debug)]
struct Writing {
    out: BufWriter<File>,
    line: Vec<u8>,
    /// The first error: later ones follow from it.
    failed: Option<io::Error>,
}

impl Recorder {
    /// Begins a file, with the folders above it; its clock begins here.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(path: impl Into<PathBuf>, etcd: &str, seed: u64) -> anyhow::Result<Self> {
        let path = path.into();
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        }
        let file = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
        let out = BufWriter::with_capacity(BUFFER, file);
        let file = Mutex::new(Writing { out, line: Vec::new(), failed: None });
        let shared = Shared { began: Instant::now(), path, numbers: AtomicU64::new(1), file };
        let recorder = Self { shared: Arc::new(shared) };
        recorder.record(Edge::Run { schema: SCHEMA, etcd: etcd.to_owned(), seed });
        Ok(recorder)
    }

    /// The path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// The time on its clock.
    #[must_use]
    pub fn now(&self) -> Nanos {
        Nanos(u64::try_from(self.shared.began.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    /// An operation that has not been before.
    #[must_use]
    pub fn op(&self) -> OpId {
        OpId(self.number())
    }

    /// A watch that has not been before.
    #[must_use]
    pub fn watch(&self) -> WatchId {
        WatchId(self.number())
    }

    /// A hold of a lock that has not been before.
    #[must_use]
    pub fn hold(&self) -> HoldId {
        HoldId(self.number())
    }

    /// Writes one line and returns its time. [`Recorder::finish`] returns write errors.
    pub fn record(&self, edge: Edge) -> Nanos {
        let mut file = self.file();
        // Under the lock, so that lines are in the order of their times.
        let t = self.now();
        file.write(&Record { t, edge });
        t
    }

    /// Writes what is due.
    ///
    /// # Errors
    /// When something could not be written, now or before.
    pub fn finish(&self) -> anyhow::Result<()> {
        let mut file = self.file();
        let flushed = file.out.flush();
        let failed = file.failed.take().map_or(flushed, Err);
        failed.map_err(|error| anyhow!(error)).with_context(|| format!("writing {}", self.path().display()))
    }

    fn number(&self) -> u64 {
        self.shared.numbers.fetch_add(1, Ordering::Relaxed)
    }

    fn file(&self) -> MutexGuard<'_, Writing> {
        self.shared.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writing {
    fn write(&mut self, record: &Record) {
        if self.failed.is_some() {
            return;
        }
        self.line.clear();
        let written = serde_json::to_writer(&mut self.line, record).map_err(io::Error::other);
        self.line.push(b'\n');
        if let Err(error) = written.and_then(|()| self.out.write_all(&self.line)) {
            self.failed = Some(error);
        }
    }
}
