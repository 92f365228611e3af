//! The calls to which a fault happens.

use super::Fault;
use crate::method::Method;

/// A fault, and the calls to which it happens. By default, this is the next call of the method.
///
/// # Examples
///
/// The third put is applied, but its answer is lost:
///
/// ```
/// use etcd_testing::{Fault, Method, Rule};
///
/// let rule = Rule::new(Method::Put, Fault::LoseAnswer).nth(3);
/// ```
#[derive(Debug, Clone)]
#[must_use = "a rule does nothing until it is injected"]
pub struct Rule {
    method: Option<Method>,
    fault: Fault,
    /// The number of matching calls to let through.
    skip: u64,
    /// The number of calls to which the fault happens.
    times: u64,
}

impl Rule {
    /// Creates a rule for the next call of `method`.
    pub const fn new(method: Method, fault: Fault) -> Self {
        Self { method: Some(method), fault, skip: 0, times: 1 }
    }

    /// Creates a rule for the next call of any method.
    pub const fn any(fault: Fault) -> Self {
        Self { method: None, fault, skip: 0, times: 1 }
    }

    /// Lets the calls before the `nth` one through. The first one is 1, and so is zero.
    pub const fn nth(mut self, nth: u64) -> Self {
        self.skip = nth.saturating_sub(1);
        self
    }

    /// Sets the number of calls to which the fault happens, one after the other.
    pub const fn times(mut self, times: u64) -> Self {
        self.times = times;
        self
    }

    /// Has the fault happen to all calls from now on, until the faults are cleared.
    pub const fn always(self) -> Self {
        self.times(u64::MAX)
    }

    pub(super) const fn fault(&self) -> &Fault {
        &self.fault
    }

    /// Counts a call. Returns whether the fault happens to it.
    pub(super) fn applies(&mut self, method: Method) -> bool {
        if self.is_spent() || self.method.is_some_and(|only| only != method) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.times = self.times.saturating_sub(1);
        true
    }

    pub(super) const fn is_spent(&self) -> bool {
        self.times == 0
    }
}
