//! The Watch service of a member.

use bytes::Bytes;
use etcd_proto::etcdserverpb::WatchCreateRequest;

use super::{Caller, Member};
use crate::auth::Access;
use crate::rejection::{AUTH_OLD_REVISION, INVALID_AUTH_TOKEN, PERMISSION_DENIED, Rejection, USER_EMPTY};
use crate::store::Span;
use crate::watch::StreamId;

impl Member {
    /// Creates a watch on a stream. A watch that its user may not have is rejected on the stream.
    pub(crate) fn watch(&mut self, stream: StreamId, caller: &Caller, request: &WatchCreateRequest) {
        // A negative revision is rejected first, by the stream.
        if request.start_revision >= 0
            && let Err(rejection) = self.check_watch(caller, request)
        {
            return self.watches.reject(stream, &reason(rejection), &self.store);
        }
        self.watches.create(stream, request, &self.store);
    }

    fn check_watch(&mut self, caller: &Caller, request: &WatchCreateRequest) -> Result<(), Rejection> {
        let info = self.auth_info(caller)?;
        let key = if request.key.is_empty() { Bytes::from_static(&[0]) } else { request.key.clone() };
        self.auth.check(info.as_ref(), &Span::of(&key, &request.range_end), Access::Read)
    }
}

/// Returns the reason of a rejected watch: the text of the error as Go's gRPC prints it.
fn reason(rejection: Rejection) -> String {
    let known = [INVALID_AUTH_TOKEN, AUTH_OLD_REVISION, USER_EMPTY].contains(&rejection);
    let rejection = if known { rejection } else { PERMISSION_DENIED };
    format!("rpc error: code = {:?} desc = {}", rejection.code, rejection.text)
}
