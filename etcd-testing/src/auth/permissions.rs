//! The coverage of a range of keys by permissions.

use bytes::Bytes;
use etcd_proto::authpb::Permission;
use etcd_proto::authpb::permission::Type;

use super::Access;
use crate::store::Span;

/// Returns whether the union of `permissions` covers every key of `span`.
pub(super) fn cover<'a>(
    permissions: impl Iterator<Item = &'a Permission>,
    span: &Span,
    access: Access,
) -> bool {
    let granted = permissions.filter(|permission| grants(permission, access));
    let spans = granted.map(|permission| Span::of(&permission.key, &permission.range_end));
    match span {
        Span::Key(key) => spans.into_iter().any(|granted| granted.contains(key)),
        Span::From(first) => covers(spans.collect(), first, None),
        // etcd finds a permission for an empty or inverted range only if it contains the first key.
        Span::Between(first, end) if first >= end => spans.into_iter().any(|granted| granted.contains(first)),
        Span::Between(first, end) => covers(spans.collect(), first, Some(end)),
    }
}

fn grants(permission: &Permission, access: Access) -> bool {
    match Type::try_from(permission.perm_type) {
        Ok(Type::Readwrite) => true,
        Ok(Type::Read) => access == Access::Read,
        Ok(Type::Write) => access == Access::Write,
        Err(_) => false,
    }
}

/// Returns whether `spans` together cover the keys from `first` to `end`. No end is the end of all keys.
fn covers(mut spans: Vec<Span>, first: &Bytes, end: Option<&Bytes>) -> bool {
    spans.sort_by(|a, b| start(a).cmp(start(b)));
    let mut covered = first.clone();
    for span in &spans {
        if end.is_some_and(|end| *end <= covered) || *start(span) > covered {
            break;
        }
        let Some(next) = after(span) else { return true };
        covered = covered.max(next);
    }
    end.is_some_and(|end| *end <= covered)
}

const fn start(span: &Span) -> &Bytes {
    match span {
        Span::Key(first) | Span::From(first) | Span::Between(first, _) => first,
    }
}

/// Returns the first key after `span`, or nothing if it has no end.
fn after(span: &Span) -> Option<Bytes> {
    match span {
        Span::Key(key) => Some([&key[..], &[0]].concat().into()),
        Span::From(_) => None,
        Span::Between(_, end) => Some(end.clone()),
    }
}
