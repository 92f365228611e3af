//! The errors that etcd answers with: a gRPC code and a text.
//!
//! The texts are those of `api/v3rpc/rpctypes/error.go` and of `server/storage/mvcc/watcher.go`.

use tonic::{Code, Status};

/// A request that etcd rejects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) code: Code,
    pub(crate) text: &'static str,
}

impl Rejection {
    const fn new(code: Code, text: &'static str) -> Self {
        Self { code, text }
    }
}

impl From<Rejection> for Status {
    fn from(rejection: Rejection) -> Self {
        Self::new(rejection.code, rejection.text)
    }
}

macro_rules! rejections {
    ($($name:ident = $code:ident $text:literal;)*) => {
        $(pub(crate) const $name: Rejection = Rejection::new(Code::$code, $text);)*
    };
}

rejections! {
    EMPTY_KEY = InvalidArgument "etcdserver: key is not provided";
    KEY_NOT_FOUND = InvalidArgument "etcdserver: key not found";
    VALUE_PROVIDED = InvalidArgument "etcdserver: value is provided";
    LEASE_PROVIDED = InvalidArgument "etcdserver: lease is provided";
    TOO_MANY_OPS = InvalidArgument "etcdserver: too many operations in txn request";
    DUPLICATE_KEY = InvalidArgument "etcdserver: duplicate key given in txn request";
    INVALID_SORT = InvalidArgument "etcdserver: invalid sort option";
    COMPACTED = OutOfRange "etcdserver: mvcc: required revision has been compacted";
    FUTURE_REVISION = OutOfRange "etcdserver: mvcc: required revision is a future revision";
    NO_SPACE = ResourceExhausted "etcdserver: mvcc: database space exceeded";
    REQUEST_TOO_LARGE = InvalidArgument "etcdserver: request is too large";

    LEASE_NOT_FOUND = NotFound "etcdserver: requested lease not found";
    LEASE_EXISTS = FailedPrecondition "etcdserver: lease already exists";
    LEASE_TTL_TOO_LARGE = OutOfRange "etcdserver: too large lease TTL";

    ROOT_USER_NOT_EXIST = FailedPrecondition "etcdserver: root user does not exist";
    ROOT_ROLE_NOT_EXIST = FailedPrecondition "etcdserver: root user does not have root role";
    USER_ALREADY_EXIST = FailedPrecondition "etcdserver: user name already exists";
    USER_EMPTY = InvalidArgument "etcdserver: user name is empty";
    USER_NOT_FOUND = FailedPrecondition "etcdserver: user name not found";
    ROLE_ALREADY_EXIST = FailedPrecondition "etcdserver: role name already exists";
    ROLE_NOT_FOUND = FailedPrecondition "etcdserver: role name not found";
    ROLE_EMPTY = InvalidArgument "etcdserver: role name is empty";
    AUTH_FAILED = InvalidArgument "etcdserver: authentication failed, invalid user ID or password";
    NO_PASSWORD_USER = Unknown "auth: authentication failed, password was given for no password user";
    PERMISSION_NOT_GIVEN = InvalidArgument "etcdserver: permission not given";
    PERMISSION_DENIED = PermissionDenied "etcdserver: permission denied";
    ROLE_NOT_GRANTED = FailedPrecondition "etcdserver: role is not granted to the user";
    PERMISSION_NOT_GRANTED = FailedPrecondition "etcdserver: permission is not granted to the role";
    AUTH_NOT_ENABLED = FailedPrecondition "etcdserver: authentication is not enabled";
    INVALID_AUTH_TOKEN = Unauthenticated "etcdserver: invalid auth token";
    INVALID_AUTH_MGMT = InvalidArgument "etcdserver: invalid auth management";
    NO_AUTH_STATUS = Unimplemented "unknown method AuthStatus for service etcdserverpb.Auth";
    AUTH_OLD_REVISION = InvalidArgument "etcdserver: revision of auth store is old";
}
