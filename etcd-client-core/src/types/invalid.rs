//! The error for a request that fails validation: the field, its position in a Txn, and the problem.

use std::{borrow::Cow, fmt};

use etcd_errors::{Code, Error};

/// The reason why a request is rejected. It becomes an `Error` once the position of the field in the request is
/// known.
#[derive(Debug)]
pub(crate) struct Invalid {
    field: &'static str,
    code: Option<Code>,
    /// The path to the field: empty, or in the form `success[2].put.`.
    path: String,
    complaint: Cow<'static, str>,
}

impl Invalid {
    /// Creates an error for `field`. `complaint` continues a sentence that starts with the field, such as "is empty".
    pub(crate) fn new(field: &'static str, complaint: impl Into<Cow<'static, str>>) -> Self {
        Self { field, code: None, path: String::new(), complaint: complaint.into() }
    }

    /// Sets the code that etcd itself would return.
    pub(crate) fn code(mut self, code: Code) -> Self {
        self.code = Some(code);
        self
    }

    /// Records that the field is inside of `outer`.
    pub(crate) fn within(mut self, outer: impl fmt::Display) -> Self {
        self.path = format!("{outer}.{}", self.path);
        self
    }
}

impl From<Invalid> for Error {
    fn from(it: Invalid) -> Self {
        let error = Self::invalid_request(it.field, format!("{}{} {}", it.path, it.field, it.complaint));
        match it.code {
            Some(code) => error.with_code(code),
            None => error,
        }
    }
}
