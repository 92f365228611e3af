//! Sends sequences to two servers and finds the first step whose answers differ.

use std::fmt;

use crate::{endpoint::Endpoint, operation::Step};

/// Two servers that should answer alike.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) expected: Endpoint,
    pub(crate) actual: Endpoint,
}

/// The answers that differ, and the steps before them.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    pub(crate) steps: Vec<Step>,
    /// The answers to each step that was performed, alike except for the last.
    answers: Vec<String>,
    expected: String,
    actual: String,
}

impl Pair {
    /// Runs a sequence from an empty store.
    pub(crate) async fn run(&mut self, steps: &[Step]) -> Result<(), Difference> {
        let (expected, actual) = tokio::join!(self.expected.reset(), self.actual.reset());
        if let Err(error) = expected {
            panic!("etcd cannot be reset: {error}; the sequence before may have ended it");
        }
        if let Err(error) = actual {
            return Err(Difference::new(&[], Vec::new(), "a reset".to_owned(), format!("{error:?}")));
        }
        let mut answers = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let (expected, actual) = tokio::join!(self.expected.perform(step), self.actual.perform(step));
            if expected != actual {
                return Err(Difference::new(&steps[..=index], answers, expected, actual));
            }
            answers.push(expected);
        }
        let (expected, actual) = tokio::join!(self.expected.finish(), self.actual.finish());
        if expected == actual { Ok(()) } else { Err(Difference::new(steps, answers, expected, actual)) }
    }

    /// Returns whether both servers are at the same revision at the beginning of a sequence.
    pub(crate) fn same_origin(&self) -> bool {
        self.expected.origin() == self.actual.origin()
    }
}

impl Difference {
    fn new(steps: &[Step], answers: Vec<String>, expected: String, actual: String) -> Self {
        Self { steps: steps.to_vec(), answers, expected, actual }
    }

    /// A short name of the kind of difference, by which repetitions are recognised.
    pub(crate) fn kind(&self) -> String {
        let words = |text: &str| text.split(' ').take(6).collect::<Vec<_>>().join(" ");
        let step = self.steps.last().map(ToString::to_string).unwrap_or_default();
        let step: String = step.split(' ').take(4).collect::<Vec<_>>().join(" ");
        format!("{step} | {} | {}", words(&self.expected), words(&self.actual))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            writeln!(f, "{:>3} {step}", index + 1)?;
            if let Some(answer) = self.answers.get(index) {
                writeln!(f, "      {answer}")?;
            }
        }
        if self.answers.len() == self.steps.len() {
            writeln!(f, "    at the end")?;
        }
        writeln!(f, "  expected: {}", self.expected)?;
        write!(f, "  actual:   {}", self.actual)
    }
}
