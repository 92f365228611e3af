//! The administration of auth, and what it does to the other operations.
//!
//! Which test of etcd's own suite has its counterpart where:
//!
//! | etcd (`tests/integration/clientv3/user_test.go`) | here |
//! |---|---|
//! | `TestUserError` | [`users`]`::{a_second_user_of_the_name.., a_deleted_user_is_gone, an_unknown_role..}` |
//! | `TestAddUserAfterDelete` | [`switch`]`::re_created_user_logs_in_with_the_new_password_only` |
//! | `TestUserErrorAuth` | [`auth`](crate::auth)`::switching::a_wrong_password_fails_at_once..` |
//! | `TestGetTokenWithoutAuth` | [`switch`]`::auth_needs_root_and_is_turned_on_and_off` |
//!
//! | etcd (`tests/common/auth_test.go`) | here |
//! |---|---|
//! | `TestAuthEnable`, `TestAuthStatus`, `TestAuthDisable` | [`switch`] |
//! | `TestAuthRevisionConsistency` | [`switch`]`::the_auth_revision_outlives_a_restart` |
//! | `TestAuthRoleUpdate`, `TestAuthRoleRevokeDuringOps`, `TestAuthRevokeWithDelete`, `TestAuthWriteKey`, `TestAuthPrefixPerm` | [`permissions`] |
//! | `TestAuthTxn`, `TestAuthCompact` | [`permissions`], with simple tokens |
//! | `TestAuthTestInvalidMgmt`, `TestAuthRoleGet`, `TestAuthUserGet`, `TestAuthRoleList` | [`who_may`] |
//! | `TestAuthLeaseGrantLeases`, `TestAuthLeaseLeases`, `TestAuthLeaseTimeToLive`, `TestAuthLeaseTimeToLiveExpired`, `TestAuthLeaseRevoke` | [`leases`] |
//! | `TestAuthGracefulDisable`, `TestAuthLeaseKeepAlive` | with watches and keepalive |
//! | `TestAuthMemberAdd`, `TestAuthMemberList`, `TestAuthMemberRemove`, `TestAuthAlarm` | not yet |
//! | `TestAuthUserDeleteDuringOps` | [`auth`](crate::auth)`::switching::deleted_user_gets..` |
//! | `TestAuthJWTExpire`, `TestAuthJWTOnly` | [`auth`](crate::auth)`::{expiry, fixed}` |
//! | `TestAuthTestCacheReload` | [`switch`]`::a_logged_in_client_outlives_a_restart` |
//!
//! | etcd (`tests/common/user_test.go`, `role_test.go`) | here |
//! |---|---|
//! | `TestUserAdd_Simple`, `TestUserAdd_DuplicateUserNotAllowed`, `TestUserDelete`, `TestUserChangePassword` | [`users`], [`refused`] |
//! | `TestUserList` | [`switch`]`::auth_needs_root_and_is_turned_on_and_off` |
//! | `TestRoleAdd_Simple`, `TestRoleAdd_Error`, `TestRootRole`, `TestRoleGrantRevokePermission`, `TestRoleDelete` | [`roles`], [`refused`] |
//!
//! | etcd (`tests/integration/v3_auth_test.go`) | here |
//! |---|---|
//! | `TestV3AuthEmptyUserGet`, `TestV3AuthEmptyUserPut`, `TestV3AuthNonAuthorizedRPCs` | [`who_may`]`::operations_without_a_user_are_denied` |
//! | `TestV3AuthRevision` | [`switch`]`::auth_leaves_the_revision_of_the_store_alone` |
//! | `TestV3AuthTokenWithDisable` | [`switch`]`::auth_needs_root_and_is_turned_on_and_off` |
//! | `TestV3AuthNestedTxnPermissionDenied`, `TestReadWithPrevKvInTXN` | [`permissions`] |
//! | `TestPutWithLeaseInTXN`, `TestV3AuthWithLeaseRevoke`, `TestV3AuthWithLeaseAttach` | [`leases`] |
//! | `TestV3AuthWithLeaseRevokeWithRoot`, `..WithRootJWT` | [`leases`]`::a_lease_of_root_expires`, with simple tokens |
//! | `TestV3AuthWithLeaseRenew`, `TestV3AuthWatchErrorAndWatchId0` | with keepalive and watches |
//! | `TestV3AuthOldRevConcurrent` | [`auth`](crate::auth)`::expiry`: users change under load |

mod leases;
mod permissions;
mod refused;
mod roles;
mod switch;
mod users;
mod who_may;

use std::sync::{
    OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use etcd_client_core::{Client, Code, Error, ErrorKind, Outcome, auth::Permission};
use etcd_testkit::{Cluster, Line};
use tokio::sync::{Mutex, MutexGuard};

use crate::servers::{client, start_once};

const ROOT_PASSWORD: &str = "root-secret";

/// A name that no other test uses.
fn unique(what: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("{what}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A client that logs in.
fn as_user(cluster: &Cluster, user: &str, password: &str) -> Client {
    let builder = Client::builder(cluster.endpoints()).password(user, password).allow_plaintext_auth();
    builder.build().expect("the endpoints are valid")
}

/// A member with auth on, for one test at a time: a change of auth makes etcd refuse what runs beside it.
struct Guarded {
    cluster: &'static Cluster,
    root: Client,
    _turn: MutexGuard<'static, ()>,
}

async fn guarded() -> Option<Guarded> {
    static GUARDED: OnceLock<Cluster> = OnceLock::new();
    static TURN: Mutex<()> = Mutex::const_new(());
    let builder = Cluster::builder().arg("--bcrypt-cost", "4").auth(ROOT_PASSWORD);
    let cluster = start_once(&GUARDED, builder)?;
    let turn = TURN.lock().await;
    let root = as_user(cluster, "root", ROOT_PASSWORD);
    root.delete("").all_keys().await.expect("the store is emptied");
    Some(Guarded { cluster, root, _turn: turn })
}

/// A user with a role of its own.
struct User {
    name: String,
    role: String,
    client: Client,
}

impl Guarded {
    /// A user whose role has these permissions.
    async fn user(&self, permissions: impl IntoIterator<Item = Permission>) -> User {
        let (name, role) = (unique("user"), unique("role"));
        let auth = self.root.auth();
        auth.user_add(&name, "pw").await.expect("user added");
        auth.role_add(&role).await.expect("role added");
        for permission in permissions {
            auth.role_grant_permission(&role, permission).await.expect("permission granted");
        }
        auth.user_grant_role(&name, &role).await.expect("role granted");
        let client = as_user(self.cluster, &name, "pw");
        User { name, role, client }
    }

    fn nobody(&self) -> Client {
        client(self.cluster.endpoints())
    }

    fn line(&self) -> Line {
        self.cluster.version().line()
    }

    /// Servers of 3.4 forget some checks: nested deletes, leases in transactions, the keys of a lease, compactions.
    fn forgets_checks(&self) -> bool {
        self.line() < Line::V3_5
    }
}

/// A refusal of the server, after which nothing was done.
fn assert_code(error: &Error, code: Code) {
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some(code)), "{}", error.report());
    assert_eq!(error.outcome(), Outcome::NotApplied, "{}", error.report());
}

macro_rules! assert_refused {
    ($call:expr, $code:ident) => {
        $crate::auth_admin::assert_code(&$call.await.expect_err("refused"), etcd_client_core::Code::$code)
    };
}
use assert_refused;
