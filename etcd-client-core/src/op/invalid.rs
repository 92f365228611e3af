//! A refused request: which field, where in a Txn, and what is wrong with it.

use std::borrow::Cow;
use std::fmt;

use etcd_errors::{Code, Error};

/// Why a request is not sent. Becomes an `Error` once it is known where in the request the field stands.
#[derive(Debug)]
pub(crate) struct Invalid {
    field: &'static str,
    code: Option<Code>,
    /// Leads to the field: empty, or like `success[2].put.`.
    path: String,
    complaint: Cow<'static, str>,
}

impl Invalid {
    /// `complaint` continues a sentence that starts with the field: "is empty".
    pub(crate) fn new(field: &'static str, complaint: impl Into<Cow<'static, str>>) -> Self {
        Self { field, code: None, path: String::new(), complaint: complaint.into() }
    }

    /// The code etcd itself would answer with.
    pub(crate) fn code(mut self, code: Code) -> Self {
        self.code = Some(code);
        self
    }

    /// Says that the field stands inside `outer`.
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
