//! The names of users and roles: any text but the empty one.

use etcd_errors::Code;

use crate::op::Invalid;

/// Refuses an empty name with the code that etcd answers with.
pub(super) fn named(field: &'static str, name: &str, code: Code) -> Result<(), Invalid> {
    if name.is_empty() { Err(Invalid::new(field, "is empty").code(code)) } else { Ok(()) }
}
