//! The names of users and roles, which can be any text except the empty one.

use etcd_errors::Code;

use crate::types::Invalid;

/// Rejects an empty name with the code that etcd returns for it.
pub(crate) fn named(field: &'static str, name: &str, code: Code) -> Result<(), Invalid> {
    if name.is_empty() { Err(Invalid::new(field, "is empty").code(code)) } else { Ok(()) }
}
