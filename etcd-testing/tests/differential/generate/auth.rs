//! The Auth service. The password of `root` is always the same, because the runner has to be able to disable auth.

use etcd_proto::{
    authpb::{Permission, UserAddOptions},
    etcdserverpb::{
        AuthRoleAddRequest, AuthRoleDeleteRequest, AuthRoleGetRequest, AuthRoleGrantPermissionRequest,
        AuthRoleRevokePermissionRequest, AuthUserAddRequest, AuthUserChangePasswordRequest,
        AuthUserDeleteRequest, AuthUserGetRequest, AuthUserGrantRoleRequest, AuthUserRevokeRoleRequest,
        AuthenticateRequest,
    },
};
use fastrand::Rng;

use super::{keys, one_in, weighted};
use crate::operation::{Auth, Op, Step, Who};

const ROOT: &str = "root";
const USERS: [&str; 3] = ["u1", "u2", "u3"];
const ROLES: [&str; 3] = ["r1", "r2", "r3"];
const PASSWORDS: [&str; 2] = ["secret", "other"];

/// Users with roles with permissions, then auth enabled and tokens. Steps are left out now and then.
pub(super) fn scaffold(rng: &mut Rng) -> Vec<Step> {
    let mut setup = vec![
        Auth::UserAdd(user(ROOT, ROOT)),
        Auth::RoleAdd(AuthRoleAddRequest { name: ROOT.into() }),
        Auth::UserGrantRole(AuthUserGrantRoleRequest { user: ROOT.into(), role: ROOT.into() }),
    ];
    for (name, role) in [("u1", "r1"), ("u2", "r2")] {
        setup.push(Auth::UserAdd(user(name, PASSWORDS[0])));
        setup.push(Auth::RoleAdd(AuthRoleAddRequest { name: role.into() }));
        setup.push(Auth::UserGrantRole(AuthUserGrantRoleRequest { user: name.into(), role: role.into() }));
        setup.push(grant(rng, role));
        setup.push(grant(rng, role));
    }
    setup.push(Auth::Enable);
    setup.push(authenticate("u1", PASSWORDS[0]));
    setup.push(authenticate("u2", PASSWORDS[0]));
    setup.retain(|_| !one_in(rng, 30));
    setup.into_iter().map(|auth| Step { who: Who::Nobody, op: Op::Auth(auth) }).collect()
}

pub(super) fn who(rng: &mut Rng) -> Who {
    weighted(
        rng,
        &[
            (45, Who::User(ROOT)),
            (25, Who::User(USERS[0])),
            (15, Who::User(USERS[1])),
            (3, Who::User(USERS[2])),
            (5, Who::Nobody),
            (3, Who::Forged),
        ],
    )
}

pub(super) fn any(rng: &mut Rng) -> Op {
    let make: fn(&mut Rng) -> Auth = weighted(
        rng,
        &[(8, switch as _), (20, tokens as _), (24, users as _), (24, user_roles as _), (44, roles as _)],
    );
    Op::Auth(make(rng))
}

fn switch(rng: &mut Rng) -> Auth {
    match weighted(rng, &[(30, 0), (8, 1), (20, 2)]) {
        0 => Auth::Enable,
        1 => Auth::Disable,
        _ => Auth::Status,
    }
}

fn tokens(rng: &mut Rng) -> Auth {
    let password = weighted(rng, &[(8, PASSWORDS[0]), (3, PASSWORDS[1]), (1, "")]);
    if one_in(rng, 12) { authenticate(ROOT, ROOT) } else { authenticate(user_name(rng), password) }
}

fn users(rng: &mut Rng) -> Auth {
    let name = user_name(rng);
    match weighted(rng, &[(12, 0), (2, 1), (8, 2), (8, 3), (5, 4), (5, 5)]) {
        0 => {
            let mut request = user(name, weighted(rng, &[(8, PASSWORDS[0]), (2, PASSWORDS[1]), (1, "")]));
            if one_in(rng, 4) {
                request.options = Some(UserAddOptions { no_password: rng.bool() });
            }
            Auth::UserAdd(request)
        }
        1 => Auth::UserAdd(user(ROOT, ROOT)),
        2 => Auth::UserGet(AuthUserGetRequest { name: any_user(rng) }),
        3 => Auth::UserList,
        4 => Auth::UserDelete(AuthUserDeleteRequest { name: any_user(rng) }),
        _ => Auth::UserChangePassword(AuthUserChangePasswordRequest {
            name: name.into(),
            password: weighted(rng, &[(5, PASSWORDS[0]), (5, PASSWORDS[1]), (1, "")]).into(),
            ..AuthUserChangePasswordRequest::default()
        }),
    }
}

fn user_roles(rng: &mut Rng) -> Auth {
    let (name, role) = (any_user(rng), role_name(rng).to_owned());
    if one_in(rng, 3) {
        Auth::UserRevokeRole(AuthUserRevokeRoleRequest { name, role })
    } else {
        Auth::UserGrantRole(AuthUserGrantRoleRequest { user: name, role })
    }
}

fn roles(rng: &mut Rng) -> Auth {
    let role = role_name(rng);
    match weighted(rng, &[(10, 0), (10, 1), (5, 2), (4, 3), (25, 4), (12, 5)]) {
        0 => Auth::RoleAdd(AuthRoleAddRequest { name: role.into() }),
        1 => Auth::RoleGet(AuthRoleGetRequest { role: role.into() }),
        2 => Auth::RoleList,
        3 => Auth::RoleDelete(AuthRoleDeleteRequest { role: role.into() }),
        4 => grant(rng, role),
        _ => {
            let (key, range_end) = keys::range(rng);
            Auth::RoleRevoke(AuthRoleRevokePermissionRequest { role: role.into(), key, range_end })
        }
    }
}

fn grant(rng: &mut Rng, role: &str) -> Auth {
    let (key, range_end) = keys::range(rng);
    let perm = Permission { perm_type: weighted(rng, &[(10, 0), (10, 1), (10, 2), (1, 7)]), key, range_end };
    Auth::RoleGrant(AuthRoleGrantPermissionRequest {
        name: role.into(),
        perm: if one_in(rng, 60) { None } else { Some(perm) },
    })
}

fn user(name: &str, password: &str) -> AuthUserAddRequest {
    AuthUserAddRequest { name: name.into(), password: password.into(), ..AuthUserAddRequest::default() }
}

fn authenticate(name: &str, password: &str) -> Auth {
    Auth::Authenticate(AuthenticateRequest { name: name.into(), password: password.into() })
}

fn user_name(rng: &mut Rng) -> &'static str {
    weighted(rng, &[(12, USERS[0]), (10, USERS[1]), (8, USERS[2]), (1, "")])
}

fn any_user(rng: &mut Rng) -> String {
    if one_in(rng, 10) { ROOT.into() } else { user_name(rng).into() }
}

fn role_name(rng: &mut Rng) -> &'static str {
    weighted(rng, &[(12, ROLES[0]), (10, ROLES[1]), (8, ROLES[2]), (3, ROOT), (1, "")])
}
