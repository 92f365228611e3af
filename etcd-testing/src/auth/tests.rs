//! Tests of users, roles, permissions and tokens, with time as an argument.

use super::*;

const NOW: Duration = Duration::ZERO;
const TTL: Duration = Duration::from_secs(300);

fn span(key: &'static str, end: &'static str) -> Span {
    Span::of(&key.into(), &end.into())
}

fn permission(perm_type: i32, key: &'static str, range_end: &'static str) -> Permission {
    Permission { perm_type, key: key.into(), range_end: range_end.into() }
}

/// Returns users `root` and `u`, with authentication enabled and the given read permissions for `u`.
fn enabled(permissions: &[(&'static str, &'static str)]) -> Auth {
    let mut auth = Auth::new(TTL);
    auth.user_add(ROOT, "r", false).expect("a new user");
    auth.user_grant_role(ROOT, ROOT).expect("the role root needs no definition");
    auth.user_add("u", "p", false).expect("a new user");
    auth.role_add("reader").expect("a new role");
    for (key, end) in permissions {
        auth.role_grant("reader", Some(&permission(0, key, end))).expect("a valid permission");
    }
    auth.user_grant_role("u", "reader").expect("a role");
    auth.enable().expect("root exists");
    auth
}

fn login(auth: &mut Auth, user: &str, password: &str) -> AuthInfo {
    let token = auth.authenticate(user, password, NOW).expect("the right password");
    auth.info(Some(&token), NOW).expect("a valid token").expect("authentication is enabled")
}

#[test]
fn authentication_needs_a_root_user_with_the_root_role() {
    let mut auth = Auth::new(TTL);
    assert_eq!(auth.enable(), Err(ROOT_USER_NOT_EXIST));
    auth.user_add(ROOT, "r", false).expect("a new user");
    assert_eq!(auth.enable(), Err(ROOT_ROLE_NOT_EXIST));
    assert_eq!(auth.authenticate(ROOT, "r", NOW), Err(AUTH_NOT_ENABLED));
}

#[test]
fn permissions_cover_a_range_together() {
    let mut auth = enabled(&[("a", "c"), ("c", ""), ("c\0", "f"), ("x", "\0")]);
    let user = login(&mut auth, "u", "p");
    let may = |key, end| auth.check(Some(&user), &span(key, end), Access::Read).is_ok();
    assert!(may("a", "") && may("b", "") && may("c", "") && may("e", "") && may("zz", ""));
    assert!(may("a", "f") && may("a", "c\0") && may("x", "\0") && may("y", "z"));
    assert!(!may("f", "") && !may("a", "f\0") && !may("a", "\0") && !may("w", "\0"));
    assert!(may("b", "a") && !may("h", "g"), "an inverted range needs its first key");
    assert_eq!(auth.check(Some(&user), &span("a", ""), Access::Write), Err(PERMISSION_DENIED));
    assert_eq!(auth.check(None, &span("a", ""), Access::Read), Err(USER_EMPTY));
}

#[test]
fn a_change_makes_checked_tokens_old() {
    let mut auth = enabled(&[("a", "")]);
    let user = login(&mut auth, "u", "p");
    auth.role_add("other").expect("a new role");
    assert_eq!(auth.check(Some(&user), &span("a", ""), Access::Read), Err(AUTH_OLD_REVISION));
    assert_eq!(auth.check_admin(Some(&user)), Err(PERMISSION_DENIED));
}

#[test]
fn a_token_ends_when_it_is_unused() {
    let mut auth = enabled(&[]);
    let token = auth.authenticate("u", "p", NOW).expect("the right password");
    let later = Duration::from_secs(299);
    assert!(auth.info(Some(&token), later).is_ok());
    assert!(auth.info(Some(&token), later + later).is_ok());
    assert_eq!(auth.info(Some(&token), later + later + TTL), Err(INVALID_AUTH_TOKEN));
}

#[test]
fn a_changed_password_ends_the_tokens_of_its_user() {
    let mut auth = enabled(&[]);
    let token = auth.authenticate("u", "p", NOW).expect("the right password");
    auth.user_change_password("u", "q").expect("a user");
    assert_eq!(auth.info(Some(&token), NOW), Err(INVALID_AUTH_TOKEN));
    assert_eq!(auth.authenticate("u", "p", NOW), Err(AUTH_FAILED));
}
