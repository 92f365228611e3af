//! Conversions for the server's lock service.

use etcd_errors::Error;
use etcd_proto::v3lockpb as pb;

use crate::{
    lock::{ServerLock, ServerLockResponse, ServerUnlock, ServerUnlockResponse},
    request::header::{Effect, answers, protocol, required},
    types::Key,
};

answers!(pb: LockResponse, UnlockResponse);

pub(crate) fn lock_request(lock: ServerLock) -> pb::LockRequest {
    pb::LockRequest { name: lock.name.into(), lease: lock.lease.get() }
}

/// Converts the response. `expected` is the key that follows from the name and the lease. Any other key is rejected,
/// because unlocking it would delete a key that belongs to another client.
pub(crate) fn lock_response(response: pb::LockResponse, expected: &Key) -> Result<ServerLockResponse, Error> {
    let header = required(response.header, Effect::Writes)?;
    if response.key != expected.as_bytes() {
        return Err(protocol("the lock key does not match the lock name and lease", Effect::Writes));
    }
    Ok(ServerLockResponse::new(header, response.key))
}

pub(crate) fn unlock_request(unlock: ServerUnlock) -> pb::UnlockRequest {
    pb::UnlockRequest { key: unlock.key.into() }
}

pub(crate) fn unlock_response(response: pb::UnlockResponse) -> Result<ServerUnlockResponse, Error> {
    Ok(ServerUnlockResponse::new(required(response.header, Effect::Writes)?))
}

#[cfg(test)]
mod tests {
    use etcd_errors::{ErrorKind, Outcome};
    use etcd_proto::etcdserverpb::ResponseHeader;

    use super::*;
    use crate::types::LeaseId;

    fn lock() -> ServerLock {
        ServerLock::new("l", LeaseId::new(0x7d).expect("not zero"))
    }

    #[test]
    fn lock_request_contains_name_and_lease() {
        assert_eq!(lock_request(lock()), pb::LockRequest { name: "l".into(), lease: 0x7d });
        assert_eq!(unlock_request(ServerUnlock::new("l/7d")), pb::UnlockRequest { key: "l/7d".into() });
    }

    #[test]
    fn only_the_expected_lock_key_is_accepted() {
        let header = Some(ResponseHeader::default());
        let expected = lock().key();
        let right = pb::LockResponse { header, key: "l/7d".into() };
        assert_eq!(lock_response(right.clone(), &expected).expect("held").key, "l/7d");
        for wrong in [
            pb::LockResponse { header: None, ..right },
            pb::LockResponse { header, key: "".into() },
            pb::LockResponse { header, key: "l/7e".into() },
            pb::LockResponse { header, key: "accounts".into() },
        ] {
            let error = lock_response(wrong, &expected).expect_err("hostile");
            assert_eq!((error.kind(), error.outcome()), (ErrorKind::Protocol, Outcome::Unknown), "{error}");
        }
        let error = unlock_response(pb::UnlockResponse { header: None }).expect_err("hostile");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Protocol, Outcome::Unknown));
    }
}
