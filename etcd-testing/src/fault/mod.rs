//! Faults on command, and the calls to which they happen.

mod rule;

use std::time::Duration;

use tonic::Status;

pub use self::rule::Rule;
use crate::method::Method;

/// A fault that happens to a call.
///
/// A fault of a streaming method, such as [`Method::Watch`], concerns the opening of the stream.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Fault {
    /// The call is not applied and gets this status.
    Refuse(Status),
    /// The call is applied and gets this status instead of its response.
    Misreport(Status),
    /// The connection is closed before the call is applied.
    LoseRequest,
    /// The call is applied. Then the connection is closed, without a response.
    LoseAnswer,
    /// The call is not applied and gets no response. The connection stays.
    Hang,
    /// The call is applied and gets no response. The connection stays.
    ApplyAndHang,
    /// The call is applied after this time.
    Delay(Duration),
    /// The call is applied at once and gets its response after this time.
    DelayAnswer(Duration),
}

/// The rules of a member, in the order in which they were added.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<Rule>,
}

impl Faults {
    pub(crate) fn add(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// Returns what happens to a call. Each rule counts the calls that match it; the oldest that applies wins.
    pub(crate) fn next(&mut self, method: Method) -> Option<Fault> {
        let mut fault = None;
        for rule in &mut self.rules {
            if rule.applies(method) && fault.is_none() {
                fault = Some(rule.fault().clone());
            }
        }
        self.rules.retain(|rule| !rule.is_spent());
        fault
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(faults: &mut Faults, method: Method) -> Option<String> {
        faults.next(method).map(|fault| match fault {
            Fault::Refuse(status) => status.message().to_owned(),
            other => format!("{other:?}"),
        })
    }

    fn refuse(text: &str) -> Fault {
        Fault::Refuse(Status::unavailable(text))
    }

    #[test]
    fn a_rule_counts_its_own_method() {
        let mut faults = Faults::default();
        faults.add(Rule::new(Method::Put, refuse("third")).nth(3));
        let calls = [Method::Put, Method::Range, Method::Put, Method::Range, Method::Put, Method::Put];
        let seen = calls.map(|method| refused(&mut faults, method));
        let expected = [None, None, None, None, Some("third".to_owned()), None];
        assert_eq!(seen, expected);
        assert!(faults.rules.is_empty(), "a spent rule is forgotten");
    }

    #[test]
    fn the_oldest_rule_wins() {
        let mut faults = Faults::default();
        faults.add(Rule::any(refuse("twice")).times(2));
        faults.add(Rule::new(Method::Put, refuse("always")).always());
        let seen =
            [Method::Put, Method::Range, Method::Put, Method::Put].map(|method| refused(&mut faults, method));
        let expected = ["twice", "twice", "always", "always"].map(|text| Some(text.to_owned()));
        assert_eq!(seen, expected);
    }
}
