//! Implements the service traits for the client, for code that accepts any service.

use std::{future::Future, pin::Pin};

use etcd_errors::Error;

use crate::{
    auth::{
        AuthDisable, AuthDisableResponse, AuthEnable, AuthEnableResponse, AuthService, AuthStatus,
        AuthStatusResponse, RoleAdd, RoleAddResponse, RoleDelete, RoleDeleteResponse, RoleGet,
        RoleGetResponse, RoleGrantPermission, RoleGrantPermissionResponse, RoleList, RoleListResponse,
        RoleRevokePermission, RoleRevokePermissionResponse, UserAdd, UserAddResponse, UserChangePassword,
        UserChangePasswordResponse, UserDelete, UserDeleteResponse, UserGet, UserGetResponse, UserGrantRole,
        UserGrantRoleResponse, UserList, UserListResponse, UserRevokeRole, UserRevokeRoleResponse,
    },
    client::{Client, for_each_service, forward_to},
    cluster::{
        ClusterService, MemberAdd, MemberAddResponse, MemberList, MemberListResponse, MemberPromote,
        MemberPromoteResponse, MemberRemove, MemberRemoveResponse, MemberUpdate, MemberUpdateResponse,
    },
    election::{
        ElectionCampaign, ElectionCampaignResponse, ElectionLeader, ElectionLeaderResponse, ElectionObserve,
        ElectionProclaim, ElectionProclaimResponse, ElectionResign, ElectionResignResponse, ElectionService,
        LeaderStream,
    },
    kv::{
        Compact, CompactResponse, Delete, DeleteResponse, Get, GetResponse, KvService, Put, PutResponse,
        RangeStream,
    },
    lease::{
        LeaseGrant, LeaseGrantResponse, LeaseKeepAlive, LeaseKeepAliveOnce, LeaseKeepAliveResponse,
        LeaseKeeper, LeaseList, LeaseListResponse, LeaseRevoke, LeaseRevokeResponse, LeaseService,
        LeaseTimeToLive, LeaseTimeToLiveResponse,
    },
    lock::{LockService, ServerLock, ServerLockResponse, ServerUnlock, ServerUnlockResponse},
    maintenance::{
        AlarmDisarm, AlarmDisarmAll, AlarmDisarmAllResponse, AlarmDisarmResponse, AlarmList,
        AlarmListResponse, Defragment, DefragmentResponse, Downgrade, DowngradeResponse, Hash, HashKv,
        HashKvResponse, HashResponse, MaintenanceService, MoveLeader, MoveLeaderResponse, Status,
        StatusResponse,
    },
    request::CallOptions,
    txn::{Txn, TxnResponse},
    watch::{Watch, WatchService, WatchStream},
};

type Called<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

macro_rules! for_client {
    ($service:ident, $getter:ident; $($methods:tt)*) => {
        forward_to! { () $service for Client, self => self.$getter(); $($methods)* }
    };
}

for_each_service!(for_client);
