//! The methods of etcd's services.

macro_rules! methods {
    ($($name:ident = $path:literal;)*) => {
        /// A method of one of etcd's gRPC services.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Method {
            $(#[doc = concat!("`", $path, "`")] $name,)*
        }

        impl Method {
            /// Returns the path of the method, such as `/etcdserverpb.KV/Range`.
            #[must_use]
            pub const fn path(self) -> &'static str {
                match self {
                    $(Self::$name => $path,)*
                }
            }

            /// Returns the method with `path`.
            #[must_use]
            pub fn from_path(path: &str) -> Option<Self> {
                match path {
                    $($path => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

methods! {
    Range = "/etcdserverpb.KV/Range";
    RangeStream = "/etcdserverpb.KV/RangeStream";
    Put = "/etcdserverpb.KV/Put";
    DeleteRange = "/etcdserverpb.KV/DeleteRange";
    Txn = "/etcdserverpb.KV/Txn";
    Compact = "/etcdserverpb.KV/Compact";
    Watch = "/etcdserverpb.Watch/Watch";
    LeaseGrant = "/etcdserverpb.Lease/LeaseGrant";
    LeaseRevoke = "/etcdserverpb.Lease/LeaseRevoke";
    LeaseKeepAlive = "/etcdserverpb.Lease/LeaseKeepAlive";
    LeaseTimeToLive = "/etcdserverpb.Lease/LeaseTimeToLive";
    LeaseLeases = "/etcdserverpb.Lease/LeaseLeases";
    MemberAdd = "/etcdserverpb.Cluster/MemberAdd";
    MemberRemove = "/etcdserverpb.Cluster/MemberRemove";
    MemberUpdate = "/etcdserverpb.Cluster/MemberUpdate";
    MemberList = "/etcdserverpb.Cluster/MemberList";
    MemberPromote = "/etcdserverpb.Cluster/MemberPromote";
    Alarm = "/etcdserverpb.Maintenance/Alarm";
    Status = "/etcdserverpb.Maintenance/Status";
    Defragment = "/etcdserverpb.Maintenance/Defragment";
    Hash = "/etcdserverpb.Maintenance/Hash";
    HashKv = "/etcdserverpb.Maintenance/HashKV";
    Snapshot = "/etcdserverpb.Maintenance/Snapshot";
    MoveLeader = "/etcdserverpb.Maintenance/MoveLeader";
    Downgrade = "/etcdserverpb.Maintenance/Downgrade";
    AuthEnable = "/etcdserverpb.Auth/AuthEnable";
    AuthDisable = "/etcdserverpb.Auth/AuthDisable";
    AuthStatus = "/etcdserverpb.Auth/AuthStatus";
    Authenticate = "/etcdserverpb.Auth/Authenticate";
    UserAdd = "/etcdserverpb.Auth/UserAdd";
    UserGet = "/etcdserverpb.Auth/UserGet";
    UserList = "/etcdserverpb.Auth/UserList";
    UserDelete = "/etcdserverpb.Auth/UserDelete";
    UserChangePassword = "/etcdserverpb.Auth/UserChangePassword";
    UserGrantRole = "/etcdserverpb.Auth/UserGrantRole";
    UserRevokeRole = "/etcdserverpb.Auth/UserRevokeRole";
    RoleAdd = "/etcdserverpb.Auth/RoleAdd";
    RoleGet = "/etcdserverpb.Auth/RoleGet";
    RoleList = "/etcdserverpb.Auth/RoleList";
    RoleDelete = "/etcdserverpb.Auth/RoleDelete";
    RoleGrantPermission = "/etcdserverpb.Auth/RoleGrantPermission";
    RoleRevokePermission = "/etcdserverpb.Auth/RoleRevokePermission";
    Lock = "/v3lockpb.Lock/Lock";
    Unlock = "/v3lockpb.Lock/Unlock";
    Campaign = "/v3electionpb.Election/Campaign";
    Proclaim = "/v3electionpb.Election/Proclaim";
    Leader = "/v3electionpb.Election/Leader";
    Observe = "/v3electionpb.Election/Observe";
    Resign = "/v3electionpb.Election/Resign";
    HealthCheck = "/grpc.health.v1.Health/Check";
    HealthWatch = "/grpc.health.v1.Health/Watch";
}
