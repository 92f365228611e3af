//! The maintenance operations, bound to a client.

use etcd_errors::Error;

use crate::{
    maintenance::{
        AlarmDisarm, AlarmDisarmAll, AlarmList, AlarmType, Defragment, Downgrade, DowngradeAction, Hash,
        HashKv, MaintenanceService, MoveLeader, Status,
    },
    request::Bound,
    types::{Endpoint, MemberId, Revision},
};

/// The maintenance operations of a client, returned by [`Client::maintenance`](crate::client::Client::maintenance).
///
/// Each method returns an operation that is awaited. A method with an `endpoint` argument calls the member at that endpoint, which
/// need not be an endpoint of the client. Snapshots are taken with [`Client::snapshot`](crate::client::Client::snapshot).
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// let maintenance = client.maintenance();
/// for endpoint in ["http://10.0.0.1:2379", "http://10.0.0.2:2379"] {
///     let status = maintenance.status(endpoint).await?;
///     println!("{endpoint}: etcd {}, {} of {} bytes in use", status.version, status.db_size_in_use, status.db_size);
///     maintenance.defragment(endpoint).await?;
/// }
/// maintenance.alarm_disarm_all().await?.into_result()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MaintenanceClient<'a> {
    service: &'a dyn MaintenanceService,
}

impl<'a> MaintenanceClient<'a> {
    /// Creates a handle on any maintenance service, such as a wrapper or a mock.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::maintenance::{MaintenanceService, MaintenanceClient};
    ///
    /// fn maintenance(service: &dyn MaintenanceService) -> MaintenanceClient<'_> {
    ///     MaintenanceClient::new(service)
    /// }
    /// ```
    pub fn new(service: &'a dyn MaintenanceService) -> Self {
        Self { service }
    }

    /// Lists the alarms of all members.
    ///
    /// # Errors
    ///
    /// Returns the errors of any read; see [`ErrorKind`](crate::ErrorKind).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// for alarm in client.maintenance().alarm_list().await?.alarms {
    ///     println!("member {}: {:?}", alarm.member, alarm.kind);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "AlarmList")]
    pub fn alarm_list(self) -> AlarmList<Bound<'a, dyn MaintenanceService>> {
        AlarmList::new().bind(self.service)
    }

    /// Disarms one alarm of one member.
    ///
    /// After an [`AlarmType::NoSpace`] alarm, free space first: compact, then [defragment](Self::defragment) each member.
    ///
    /// # Errors
    ///
    /// Returns the errors of any write; see [`ErrorKind`](crate::ErrorKind).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::maintenance::AlarmType;
    ///
    /// for alarm in client.maintenance().alarm_list().await?.alarms {
    ///     if alarm.kind == AlarmType::NoSpace {
    ///         client.maintenance().alarm_disarm(alarm.member, alarm.kind).await?;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "AlarmDisarm")]
    pub fn alarm_disarm(
        self,
        member: MemberId,
        kind: AlarmType,
    ) -> AlarmDisarm<Bound<'a, dyn MaintenanceService>> {
        AlarmDisarm::new(member, kind).bind(self.service)
    }

    /// Disarms all alarms of all members. The response lists the alarms that could not be disarmed.
    ///
    /// # Errors
    ///
    /// Returns the errors of any read if the alarms cannot be listed. Alarms that could not be disarmed are part of the response:
    /// [`into_result`](crate::maintenance::AlarmDisarmAllResponse::into_result) turns them into an error.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown: some alarms may have been disarmed.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.maintenance().alarm_disarm_all().await?.into_result()?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "AlarmDisarm")]
    pub fn alarm_disarm_all(self) -> AlarmDisarmAll<Bound<'a, dyn MaintenanceService>> {
        AlarmDisarmAll::new().bind(self.service)
    }

    /// Returns the status of one member: its version, database size, leader and raft indexes.
    ///
    /// The member responds without a quorum, and learners respond as well.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the endpoint is malformed. Otherwise the errors of any call to this member;
    /// see [`ErrorKind`](crate::ErrorKind).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let status = client.maintenance().status("http://10.0.0.1:2379").await?;
    /// println!("etcd {}, leader {:?}", status.version, status.leader);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Status")]
    pub fn status(
        self,
        endpoint: impl TryInto<Endpoint, Error: Into<Error>>,
    ) -> Status<Bound<'a, dyn MaintenanceService>> {
        Status::new(endpoint).bind(self.service)
    }

    /// Defragments the database file of one member, which releases unused space to the file system.
    ///
    /// The member serves no requests while it defragments. Defragment one member after the other, the leader last. Once the member is
    /// connected the call has no default deadline, because its duration grows with the file.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the endpoint is malformed. Otherwise the errors of any call to this member;
    /// see [`ErrorKind`](crate::ErrorKind).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown: the member continues to defragment.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.maintenance().defragment("http://10.0.0.1:2379").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Defragment")]
    #[doc(alias = "defrag")]
    pub fn defragment(
        self,
        endpoint: impl TryInto<Endpoint, Error: Into<Error>>,
    ) -> Defragment<Bound<'a, dyn MaintenanceService>> {
        Defragment::new(endpoint).bind(self.service)
    }

    /// Returns a checksum of the whole database of one member.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the endpoint is malformed. Otherwise the errors of any call to this member;
    /// see [`ErrorKind`](crate::ErrorKind).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let response = client.maintenance().hash("http://10.0.0.1:2379").await?;
    /// println!("{:08x}", response.hash);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Hash")]
    pub fn hash(
        self,
        endpoint: impl TryInto<Endpoint, Error: Into<Error>>,
    ) -> Hash<Bound<'a, dyn MaintenanceService>> {
        Hash::new(endpoint).bind(self.service)
    }

    /// Returns a checksum of the keys and values of one member up to `revision`. Revision zero means the current one.
    ///
    /// Members that agree on [`compact_revision`](crate::maintenance::HashKvResponse::compact_revision) and on the hashed revision must agree on the
    /// checksum. Once the member is connected the call has no default deadline, because its duration grows with the store.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the endpoint is malformed.
    /// [`Code::Compacted`](crate::Code::Compacted) or [`Code::FutureRev`](crate::Code::FutureRev) if the member does not have the revision.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let revision = client.get("any").count_only().await?.header.revision;
    /// for endpoint in ["http://10.0.0.1:2379", "http://10.0.0.2:2379"] {
    ///     let response = client.maintenance().hash_kv(endpoint, revision).await?;
    ///     println!("{endpoint}: {:08x} after compaction {:?}", response.hash, response.compact_revision);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "HashKV")]
    pub fn hash_kv(
        self,
        endpoint: impl TryInto<Endpoint, Error: Into<Error>>,
        revision: impl Into<Revision>,
    ) -> HashKv<Bound<'a, dyn MaintenanceService>> {
        HashKv::new(endpoint).revision(revision).bind(self.service)
    }

    /// Transfers the leadership to the member `to`.
    ///
    /// Only the leader accepts this request. The client finds the leader among its endpoints, and looks it up once more if it has
    /// changed in the meantime. Nothing happens if the member leads already.
    ///
    /// # Errors
    ///
    /// [`Code::BadLeaderTransferee`](crate::Code::BadLeaderTransferee) if `to` is not a voting member.
    /// [`Unavailable`](crate::ErrorKind::Unavailable) if there is no leader or it is not among the client's endpoints.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let status = client.maintenance().status("http://10.0.0.2:2379").await?;
    /// client.maintenance().move_leader(status.header.member_id).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "MoveLeader")]
    pub fn move_leader(self, to: MemberId) -> MoveLeader<Bound<'a, dyn MaintenanceService>> {
        MoveLeader::new(to).bind(self.service)
    }

    /// Validates, enables or cancels a downgrade of the cluster.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidDowngradeTargetVersion`](crate::Code::InvalidDowngradeTargetVersion) if the cluster cannot be downgraded to this
    /// version. [`Code::DowngradeInProcess`](crate::Code::DowngradeInProcess) or [`Code::NoInflightDowngrade`](crate::Code::NoInflightDowngrade)
    /// if another downgrade is in progress, or there is none to cancel.
    ///
    /// # Cancel safety
    ///
    /// A validation can be dropped at any time. For the other actions, dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::maintenance::DowngradeAction;
    ///
    /// let version = "3.6".to_owned();
    /// client.maintenance().downgrade(DowngradeAction::Validate { version: version.clone() }).await?;
    /// client.maintenance().downgrade(DowngradeAction::Enable { version }).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Downgrade")]
    pub fn downgrade(self, action: DowngradeAction) -> Downgrade<Bound<'a, dyn MaintenanceService>> {
        Downgrade::new(action).bind(self.service)
    }
}
