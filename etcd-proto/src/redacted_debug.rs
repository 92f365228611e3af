//! `Debug` of the messages that contain secrets or stored values, without printing either.
//!
//! Secrets are printed as `<redacted>`, stored values as `<N bytes>`, and all other fields as by the derived `Debug`. Each
//! implementation destructures its message without `..`: a field that a later etcd adds is a compile error until its
//! output has been decided.

use std::fmt;

use crate::authpb::User;
use crate::etcdserverpb::compare::{CompareResult, CompareTarget, TargetUnion};
use crate::etcdserverpb::{
    AuthUserAddRequest, AuthUserChangePasswordRequest, AuthenticateRequest, AuthenticateResponse, Compare,
    PutRequest, SnapshotResponse,
};
use crate::mvccpb::KeyValue;
use crate::v3electionpb::{CampaignRequest, ProclaimRequest};

/// Prints as a placeholder for a secret, whether or not the secret is empty.
struct Redacted;

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// Prints the length of a stored value.
struct Size(usize);

impl fmt::Debug for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} bytes>", self.0)
    }
}

impl fmt::Debug for KeyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, create_revision, mod_revision, version, value, lease } = self;
        f.debug_struct("KeyValue")
            .field("key", key)
            .field("create_revision", create_revision)
            .field("mod_revision", mod_revision)
            .field("version", version)
            .field("value", &Size(value.len()))
            .field("lease", lease)
            .finish()
    }
}

impl fmt::Debug for PutRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, value, lease, prev_kv, ignore_value, ignore_lease } = self;
        f.debug_struct("PutRequest")
            .field("key", key)
            .field("value", &Size(value.len()))
            .field("lease", lease)
            .field("prev_kv", prev_kv)
            .field("ignore_value", ignore_value)
            .field("ignore_lease", ignore_lease)
            .finish()
    }
}

impl fmt::Debug for Compare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { result, target, key, range_end, target_union } = self;
        let mut compare = f.debug_struct("Compare");
        // Both enums are open: an unknown number is printed as the number.
        match CompareResult::try_from(*result) {
            Ok(name) => compare.field("result", &name),
            Err(_) => compare.field("result", result),
        };
        match CompareTarget::try_from(*target) {
            Ok(name) => compare.field("target", &name),
            Err(_) => compare.field("target", target),
        };
        compare.field("key", key).field("range_end", range_end).field("target_union", target_union).finish()
    }
}

impl fmt::Debug for TargetUnion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => f.debug_tuple("Version").field(version).finish(),
            Self::CreateRevision(revision) => f.debug_tuple("CreateRevision").field(revision).finish(),
            Self::ModRevision(revision) => f.debug_tuple("ModRevision").field(revision).finish(),
            Self::Value(value) => f.debug_tuple("Value").field(&Size(value.len())).finish(),
            Self::Lease(lease) => f.debug_tuple("Lease").field(lease).finish(),
        }
    }
}

impl fmt::Debug for SnapshotResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { header, remaining_bytes, blob, version } = self;
        f.debug_struct("SnapshotResponse")
            .field("header", header)
            .field("remaining_bytes", remaining_bytes)
            .field("blob", &Size(blob.len()))
            .field("version", version)
            .finish()
    }
}

impl fmt::Debug for CampaignRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, lease, value } = self;
        f.debug_struct("CampaignRequest")
            .field("name", name)
            .field("lease", lease)
            .field("value", &Size(value.len()))
            .finish()
    }
}

impl fmt::Debug for ProclaimRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { leader, value } = self;
        f.debug_struct("ProclaimRequest").field("leader", leader).field("value", &Size(value.len())).finish()
    }
}

impl fmt::Debug for AuthenticateRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, password: _ } = self;
        f.debug_struct("AuthenticateRequest").field("name", name).field("password", &Redacted).finish()
    }
}

impl fmt::Debug for AuthenticateResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { header, token: _ } = self;
        f.debug_struct("AuthenticateResponse").field("header", header).field("token", &Redacted).finish()
    }
}

impl fmt::Debug for AuthUserAddRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, password: _, options, hashed_password: _ } = self;
        f.debug_struct("AuthUserAddRequest")
            .field("name", name)
            .field("password", &Redacted)
            .field("options", options)
            .field("hashed_password", &Redacted)
            .finish()
    }
}

impl fmt::Debug for AuthUserChangePasswordRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, password: _, hashed_password: _ } = self;
        f.debug_struct("AuthUserChangePasswordRequest")
            .field("name", name)
            .field("password", &Redacted)
            .field("hashed_password", &Redacted)
            .finish()
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, password: _, roles, options } = self;
        f.debug_struct("User")
            .field("name", name)
            .field("password", &Redacted)
            .field("roles", roles)
            .field("options", options)
            .finish()
    }
}

#[cfg(test)]
mod tests;
