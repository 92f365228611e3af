//! Reads a history back, to be checked as often as one likes.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use anyhow::{Context as _, bail, ensure};

use super::{Edge, Record, SCHEMA};

/// Everything that was seen, line by line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    records: Vec<Record>,
}

impl History {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, a line is no record, or its schema is another one. A last line that was cut short is
    /// left out.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
        Self::parse(BufReader::new(file)).with_context(|| format!("reading {}", path.display()))
    }

    /// Reads lines.
    ///
    /// # Errors
    /// As [`History::read`].
    pub fn parse(mut lines: impl BufRead) -> anyhow::Result<Self> {
        let (mut records, mut line) = (Vec::new(), String::new());
        loop {
            line.clear();
            if lines.read_line(&mut line)? == 0 {
                break;
            }
            match serde_json::from_str(&line) {
                Ok(record) => records.push(record),
                Err(_) if !line.ends_with('\n') => break,
                Err(error) => return Err(error).with_context(|| format!("line {}", records.len() + 1)),
            }
        }
        let history = Self { records };
        history.check_schema()?;
        Ok(history)
    }

    /// A history of these records, such as a test writes.
    #[must_use]
    pub fn of(records: Vec<Record>) -> Self {
        Self { records }
    }

    /// Its lines with their numbers, the first of which is 1.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = (usize, &Record)> {
        self.records.iter().enumerate().map(|(index, record)| (index + 1, record))
    }

    /// One line, by its number, as it stands in the file.
    #[must_use]
    pub fn line(&self, number: usize) -> Option<String> {
        let record = self.records.get(number.checked_sub(1)?)?;
        serde_json::to_string(record).ok()
    }

    /// The records, to be changed by a test.
    pub fn records_mut(&mut self) -> &mut Vec<Record> {
        &mut self.records
    }

    fn check_schema(&self) -> anyhow::Result<()> {
        let Some(Record { edge: Edge::Run { schema, .. }, .. }) = self.records.first() else {
            bail!("the first line does not say what was run")
        };
        ensure!(*schema == SCHEMA, "schema {schema}, but this reads {SCHEMA}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Keys, Nanos, Rev, WatchRequest};

    const HEAD: &str = r#"{"t":0,"kind":"run","schema":1,"etcd":"3.6.1","seed":7}"#;

    #[test]
    fn a_cut_last_line_is_left_out_and_a_broken_one_is_named() {
        let cut = format!("{HEAD}\n{{\"t\":1,\"kind\":\"quie");
        assert_eq!(History::parse(cut.as_bytes()).unwrap().lines().count(), 1);
        let error = History::parse(format!("{cut}\n").as_bytes()).unwrap_err();
        assert!(format!("{error:#}").contains("line 2"), "{error:#}");
    }

    #[test]
    fn another_schema_is_rejected() {
        let error = History::parse(HEAD.replace("\"schema\":1", "\"schema\":9").as_bytes()).unwrap_err();
        assert!(error.to_string().contains("schema 9"), "{error}");
        assert!(History::parse(&b"{\"t\":1,\"kind\":\"quiesced\",\"revision\":3}"[..]).is_err());
    }

    #[test]
    fn lines_are_short() {
        let keys = Keys::prefix("a/");
        let request = WatchRequest { from: Some(Rev(5)), ..WatchRequest::new(keys) };
        let edge = Edge::WatchRequested { watch: crate::history::WatchId(3), request };
        let history = History::of(vec![Record { t: Nanos(9), edge }]);
        let line = history.line(1).unwrap();
        assert!(
            line.starts_with(
                r#"{"t":9,"kind":"watch_requested","watch":3,"request":{"keys":{"key":"a/","end":"a0"},"from":5,"#
            ),
            "{line}"
        );
        assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), history.lines().next().unwrap().1.clone());
    }
}
