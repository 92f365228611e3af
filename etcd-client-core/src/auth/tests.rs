//! Tests of validation before sending, of `Debug` and of equality.
use etcd_errors::{Code, Error, ErrorKind, Outcome};

use crate::{
    auth::{
        Access, Permission, RoleAdd, RoleDelete, RoleGet, RoleGrantPermission, RoleRevokePermission, UserAdd,
        UserChangePassword, UserDelete, UserGet, UserGrantRole, UserRevokeRole,
    },
    request::Limits,
    types::{KeyRange, Secret},
};

fn assert_rejected(checked: Result<(), Error>, field: &str, code: Option<Code>) {
    let error = checked.expect_err(field);
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some(field)), "{error}");
    assert_eq!((error.code(), error.outcome()), (code, Outcome::NotApplied), "{error}");
}

#[test]
fn rejects_empty_names_with_etcd_codes() {
    let _limits = &Limits::default();
    let any = || Permission::read("k");
    let cases = [
        (UserAdd::new("", "p").validate(), "user", Code::UserEmpty),
        (UserAdd::no_password("").validate(), "user", Code::UserEmpty),
        (UserGet::new("").validate(), "user", Code::UserNotFound),
        (UserDelete::new("").validate(), "user", Code::UserNotFound),
        (UserChangePassword::new("", "p").validate(), "user", Code::UserNotFound),
        (UserGrantRole::new("", "r").validate(), "user", Code::UserNotFound),
        (UserGrantRole::new("u", "").validate(), "role", Code::RoleNotFound),
        (UserRevokeRole::new("", "r").validate(), "user", Code::UserNotFound),
        (UserRevokeRole::new("u", "").validate(), "role", Code::RoleNotGranted),
        (RoleAdd::new("").validate(), "role", Code::RoleEmpty),
        (RoleGet::new("").validate(), "role", Code::RoleNotFound),
        (RoleDelete::new("").validate(), "role", Code::RoleNotFound),
        (RoleGrantPermission::new("", any()).validate(), "role", Code::RoleNotFound),
        (RoleRevokePermission::new("", "k").validate(), "role", Code::RoleNotFound),
    ];
    for (checked, field, code) in cases {
        assert_rejected(checked, field, Some(code));
    }
}

#[test]
fn leaves_other_checks_to_etcd() {
    let _limits = &Limits::default();
    let accepted = [
        UserAdd::new("alice", "").validate(),
        UserAdd::new("alice", "x".repeat(73)).validate(),
        UserChangePassword::new("alice", "").validate(),
        RoleGrantPermission::new("r", Permission::read("b").range_end("a")).validate(),
        RoleGrantPermission::new("r", Permission::read("").prefix()).validate(),
        RoleGrantPermission::new("r", Permission::read("").from_key()).validate(),
        RoleGrantPermission::new("r", Permission::read("").all_keys()).validate(),
        RoleRevokePermission::new("r", "").validate(),
        RoleRevokePermission::new("r", "").range_end("\0").validate(),
    ];
    for (case, checked) in accepted.into_iter().enumerate() {
        assert!(checked.is_ok(), "{case}: {checked:?}");
    }
}

#[test]
fn rejects_invalid_permissions() {
    let check = |permission| RoleGrantPermission::new("r", permission).validate();
    assert_rejected(check(Permission::read("")), "key", Some(Code::InvalidAuthMgmt));
    assert_rejected(check(Permission::read("").range_end("b")), "key", Some(Code::InvalidAuthMgmt));
    assert_rejected(check(Permission::read("a").all_keys()), "key", None);
    assert_rejected(check(Permission::read("a").range_end("")), "range_end", None);
    assert_rejected(check(Permission::read("a").prefix().from_key()), "range_end", None);
    assert_rejected(check(Permission::new(Access::Unknown(1), KeyRange::one("a"))), "access", None);
    let revoke = RoleRevokePermission::new("r", "a").prefix().range_end("z");
    assert_rejected(revoke.validate(), "range_end", None);
}

#[test]
fn permissions_compare_by_their_bounds() {
    let all = Permission::write("").all_keys();
    assert_eq!(all, Permission::write("").prefix());
    assert_eq!(all, Permission::write("\0").range_end("\0"));
    assert_ne!(all, Permission::write("").range_end("\0"), "etcd keeps the two apart");
    assert_ne!(all, Permission::read("").all_keys());
    assert_ne!(Permission::new(Access::Unknown(1), KeyRange::one("a")), Permission::write("a"));
}

#[test]
fn access_round_trips_through_text() {
    for access in [Access::Read, Access::Write, Access::ReadWrite] {
        assert_eq!(access.to_string().parse(), Ok(access));
        assert_eq!(access.to_string().to_lowercase().parse(), Ok(access));
    }
    for nonsense in ["", "1", "READ ", "UNKNOWN(1)", "all"] {
        assert!(nonsense.parse::<Access>().is_err(), "{nonsense}");
    }
}

#[test]
fn debug_hides_passwords() {
    const CANARY: &str = "hunter2-canary";
    let password = Secret::from(CANARY);
    let add = UserAdd::new("alice", &password);
    let change = UserChangePassword::new("alice", password.clone());
    let shown = format!("{password:?} {password:#?} {add:?} {add:#?} {change:?} {:?} {:?}", &add, &change);
    assert!(!shown.contains("canary") && !shown.contains("hunter"), "{shown}");
    assert!(shown.contains("alice"), "{shown}");
}
