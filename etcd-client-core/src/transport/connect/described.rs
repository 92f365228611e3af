//! Errors of connecting that state their topic, from which the report of an error chooses its hint.

use std::{error::Error, fmt, io};

use etcd_errors::ErrorTopic;

/// A complete description of an error, and its topic.
#[derive(Debug)]
pub(crate) struct Described {
    topic: ErrorTopic,
    text: String,
}

impl Described {
    pub(crate) fn new(topic: ErrorTopic, text: impl Into<String>) -> Self {
        Self { topic, text: text.into() }
    }
}

impl fmt::Display for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Described {}

/// Returns the topic of an error or of one of its causes.
pub(crate) fn topic(error: &(dyn Error + 'static)) -> Option<ErrorTopic> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(described) = error.downcast_ref::<Described>() {
            return Some(described.topic);
        }
        // The source of an `io::Error` is that of the error inside, which may be the described one.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topic_is_found_in_causes() {
        let described = || Described::new(ErrorTopic::Tls, "no");
        assert_eq!(topic(&described()), Some(ErrorTopic::Tls));
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, described()));
        assert_eq!(topic(&wrapped), Some(ErrorTopic::Tls));
        let error = etcd_errors::Error::from(etcd_errors::Code::NoLeader).with_source(described());
        assert_eq!(topic(&error), Some(ErrorTopic::Tls));
        assert_eq!(topic(&io::Error::other("no")), None);
        assert_eq!(topic(&io::Error::from(io::ErrorKind::InvalidData)), None);
    }
}
