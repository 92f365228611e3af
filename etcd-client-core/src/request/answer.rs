//! Response messages and the header that they have in common.

use etcd_proto::{etcdserverpb as pb, v3electionpb as election, v3lockpb as lock};

/// A message that answers a unary call.
pub(crate) trait Answer: prost::Message + Default {
    /// Returns the header, which a member may have left out.
    fn header(&self) -> Option<&pb::ResponseHeader>;
}

macro_rules! answers {
    ($package:ident: $($message:ident),* $(,)?) => {
        $(impl Answer for $package::$message {
            fn header(&self) -> Option<&pb::ResponseHeader> {
                self.header.as_ref()
            }
        })*
    };
}

answers!(pb:
    RangeResponse,
    PutResponse,
    DeleteRangeResponse,
    TxnResponse,
    CompactionResponse,
    LeaseGrantResponse,
    LeaseRevokeResponse,
    LeaseTimeToLiveResponse,
    LeaseLeasesResponse,
    LeaseKeepAliveResponse,
    MemberAddResponse,
    MemberRemoveResponse,
    MemberUpdateResponse,
    MemberListResponse,
    MemberPromoteResponse,
    AlarmResponse,
    StatusResponse,
    DefragmentResponse,
    HashResponse,
    HashKvResponse,
    MoveLeaderResponse,
    DowngradeResponse,
    AuthEnableResponse,
    AuthDisableResponse,
    AuthStatusResponse,
    AuthenticateResponse,
    AuthUserAddResponse,
    AuthUserGetResponse,
    AuthUserListResponse,
    AuthUserDeleteResponse,
    AuthUserChangePasswordResponse,
    AuthUserGrantRoleResponse,
    AuthUserRevokeRoleResponse,
    AuthRoleAddResponse,
    AuthRoleGetResponse,
    AuthRoleListResponse,
    AuthRoleDeleteResponse,
    AuthRoleGrantPermissionResponse,
    AuthRoleRevokePermissionResponse,
);

answers!(lock: LockResponse, UnlockResponse);
answers!(election: CampaignResponse, ProclaimResponse, LeaderResponse, ResignResponse);
