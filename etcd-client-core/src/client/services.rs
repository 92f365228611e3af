//! The services of a client, and of references and smart pointers: `&T`, `Arc<T>` and `Box<T>` serve what `T` serves.

use std::{future::Future, pin::Pin, sync::Arc};

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
    client::{Client, namespaced::Namespaced},
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

impl Client {
    /// Returns the KV service, for code that accepts any [`KvService`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::{Error, Get};
    /// use etcd_client_core::kv::KvService;
    ///
    /// async fn limit(kv: &dyn KvService) -> Result<u64, Error> {
    ///     Ok(Get::new("config/").prefix().count_only().bind(kv).await?.count)
    /// }
    ///
    /// println!("{} keys", limit(client.kv()).await?);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "NewKV")]
    #[doc(alias = "kv_client")]
    pub fn kv(&self) -> &dyn KvService {
        self.namespaced().map_or(&self.shared.kv, Namespaced::kv)
    }

    /// Returns the lease service, for code that accepts any [`LeaseService`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::lease::LeaseList;
    ///
    /// println!("{:?}", LeaseList::new().bind(client.lease_service()).await?.leases);
    /// # Ok(())
    /// # }
    /// ```
    pub fn lease_service(&self) -> &dyn LeaseService {
        self.namespaced().map_or(&self.shared.lease, Namespaced::lease)
    }

    /// Returns the watch service, for code that accepts any [`WatchService`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Watch;
    ///
    /// let watch = Watch::new("config/").prefix().bind(client.watch_service()).await?;
    /// # drop(watch);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "watch_client")]
    pub fn watch_service(&self) -> &dyn WatchService {
        self.namespaced().map_or(&self.shared.watch, Namespaced::watch)
    }

    /// Returns the lock service, for code that accepts any [`LockService`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::lock::ServerUnlock;
    ///
    /// ServerUnlock::new("jobs/nightly/7d").bind(client.lock_service()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn lock_service(&self) -> &dyn LockService {
        self.namespaced().map_or(&self.shared.lock, Namespaced::lock)
    }

    /// Returns the election service, for code that accepts any [`ElectionService`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::election::ElectionLeader;
    ///
    /// let leader = ElectionLeader::new("boss").bind(client.election_service()).await?;
    /// println!("{:?} leads", leader.kv.value_str());
    /// # Ok(())
    /// # }
    /// ```
    pub fn election_service(&self) -> &dyn ElectionService {
        self.namespaced().map_or(&self.shared.election, Namespaced::election)
    }

    /// Returns the auth service, for code that accepts any [`AuthService`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::auth::UserList;
    ///
    /// println!("{:?}", UserList::new().bind(client.auth_service()).await?.users);
    /// # Ok(())
    /// # }
    /// ```
    pub fn auth_service(&self) -> &dyn AuthService {
        &self.shared.auth
    }

    /// Returns the cluster service, for code that accepts any [`ClusterService`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::cluster::MemberList;
    ///
    /// println!("{} members", MemberList::new().bind(client.cluster_service()).await?.members.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn cluster_service(&self) -> &dyn ClusterService {
        &self.shared.cluster
    }

    /// Returns the maintenance service, for code that accepts any [`MaintenanceService`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::maintenance::AlarmList;
    ///
    /// println!("{} alarms", AlarmList::new().bind(client.maintenance_service()).await?.alarms.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn maintenance_service(&self) -> &dyn MaintenanceService {
        &self.shared.maintenance
    }
}

/// The future of a call in the form of `async_trait`, so that forwarding needs no second box.
type Called<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// Implements a service for one type by forwarding each method to the `$target` of `self`.
macro_rules! forward_to {
    (
        ($($generics:tt)*) $service:ident for $type:ty, $self:ident => $target:expr;
        $($method:ident($op:ty) -> $response:ty,)*
    ) => {
        impl<$($generics)*> $service for $type {
            $(
                fn $method<'life0, 'async_trait>(
                    &'life0 $self,
                    op: $op,
                    options: CallOptions,
                ) -> Called<'async_trait, $response>
                where
                    'life0: 'async_trait,
                    Self: 'async_trait,
                {
                    $target.$method(op, options)
                }
            )*
        }
    };
}

/// Lists the methods of every service once, and passes each list to the macro `$implement`.
macro_rules! for_each_service {
    ($implement:ident) => {
        $implement! { KvService, kv;
            get(Get) -> GetResponse,
            put(Put) -> PutResponse,
            delete(Delete) -> DeleteResponse,
            txn(Txn) -> TxnResponse,
            compact(Compact) -> CompactResponse,
            range_stream(Get) -> RangeStream,
        }
        $implement! { LeaseService, lease_service;
            grant(LeaseGrant) -> LeaseGrantResponse,
            revoke(LeaseRevoke) -> LeaseRevokeResponse,
            time_to_live(LeaseTimeToLive) -> LeaseTimeToLiveResponse,
            list(LeaseList) -> LeaseListResponse,
            keep_alive_once(LeaseKeepAliveOnce) -> LeaseKeepAliveResponse,
            keep_alive(LeaseKeepAlive) -> LeaseKeeper,
        }
        $implement! { WatchService, watch_service;
            watch(Watch) -> WatchStream,
        }
        $implement! { AuthService, auth_service;
            enable(AuthEnable) -> AuthEnableResponse,
            disable(AuthDisable) -> AuthDisableResponse,
            status(AuthStatus) -> AuthStatusResponse,
            user_add(UserAdd) -> UserAddResponse,
            user_get(UserGet) -> UserGetResponse,
            user_list(UserList) -> UserListResponse,
            user_delete(UserDelete) -> UserDeleteResponse,
            user_change_password(UserChangePassword) -> UserChangePasswordResponse,
            user_grant_role(UserGrantRole) -> UserGrantRoleResponse,
            user_revoke_role(UserRevokeRole) -> UserRevokeRoleResponse,
            role_add(RoleAdd) -> RoleAddResponse,
            role_get(RoleGet) -> RoleGetResponse,
            role_list(RoleList) -> RoleListResponse,
            role_delete(RoleDelete) -> RoleDeleteResponse,
            role_grant_permission(RoleGrantPermission) -> RoleGrantPermissionResponse,
            role_revoke_permission(RoleRevokePermission) -> RoleRevokePermissionResponse,
        }
        $implement! { ClusterService, cluster_service;
            member_list(MemberList) -> MemberListResponse,
            member_add(MemberAdd) -> MemberAddResponse,
            member_remove(MemberRemove) -> MemberRemoveResponse,
            member_update(MemberUpdate) -> MemberUpdateResponse,
            member_promote(MemberPromote) -> MemberPromoteResponse,
        }
        $implement! { MaintenanceService, maintenance_service;
            alarm_list(AlarmList) -> AlarmListResponse,
            alarm_disarm(AlarmDisarm) -> AlarmDisarmResponse,
            alarm_disarm_all(AlarmDisarmAll) -> AlarmDisarmAllResponse,
            status(Status) -> StatusResponse,
            defragment(Defragment) -> DefragmentResponse,
            hash(Hash) -> HashResponse,
            hash_kv(HashKv) -> HashKvResponse,
            move_leader(MoveLeader) -> MoveLeaderResponse,
            downgrade(Downgrade) -> DowngradeResponse,
        }
        $implement! { LockService, lock_service;
            lock(ServerLock) -> ServerLockResponse,
            unlock(ServerUnlock) -> ServerUnlockResponse,
        }
        $implement! { ElectionService, election_service;
            campaign(ElectionCampaign) -> ElectionCampaignResponse,
            proclaim(ElectionProclaim) -> ElectionProclaimResponse,
            leader(ElectionLeader) -> ElectionLeaderResponse,
            observe(ElectionObserve) -> LeaderStream,
            resign(ElectionResign) -> ElectionResignResponse,
        }
    };
}

macro_rules! for_pointers {
    ($service:ident, $_getter:ident; $($methods:tt)*) => {
        forward_to! { (T: $service + ?Sized) $service for &T, self => (**self); $($methods)* }
        forward_to! { (T: $service + ?Sized) $service for Arc<T>, self => (**self); $($methods)* }
        forward_to! { (T: $service + ?Sized) $service for Box<T>, self => (**self); $($methods)* }
    };
}

for_each_service!(for_pointers);

macro_rules! for_client {
    ($service:ident, $getter:ident; $($methods:tt)*) => {
        forward_to! { () $service for Client, self => self.$getter(); $($methods)* }
    };
}

for_each_service!(for_client);
