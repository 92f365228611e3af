//! The operations that keep a cluster in order, bound to a client.

use crate::{
    model::{AlarmType, EndpointText, MemberId, Revision},
    op::{
        AlarmDisarm, AlarmDisarmAll, AlarmList, Defragment, Downgrade, DowngradeAction, HashBackend, HashKv,
        MaintenanceBound, MoveLeader, Status,
    },
    service::Maintenance,
};

/// What [`Client::maintenance`](crate::Client::maintenance) gives: one method for each operation that keeps a cluster in order.
///
/// Those that take an endpoint go to the member that it names, which need not be one of the client's.
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// let maintenance = client.maintenance();
/// for endpoint in ["http://10.0.0.1:2379", "http://10.0.0.2:2379"] {
///     let status = maintenance.status(endpoint).await?;
///     println!("{endpoint}: etcd {}, {} of {} bytes in use", status.version, status.db_size_in_use, status.db_size);
///     maintenance.defragment(endpoint).await?;
/// }
/// maintenance.disarm_all().await?.into_result()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MaintenanceHandle<'a> {
    service: &'a dyn Maintenance,
}

impl<'a> MaintenanceHandle<'a> {
    /// The operations on any maintenance service.
    pub fn new(service: &'a dyn Maintenance) -> Self {
        Self { service }
    }

    /// Lists the alarms of all members.
    pub fn alarms(self) -> AlarmList<MaintenanceBound<'a>> {
        AlarmList::new().bind(self.service)
    }

    /// Ends an alarm of one member.
    pub fn disarm(self, member: MemberId, kind: AlarmType) -> AlarmDisarm<MaintenanceBound<'a>> {
        AlarmDisarm::new(member, kind).bind(self.service)
    }

    /// Ends every alarm there is; the answer says which could not be ended.
    pub fn disarm_all(self) -> AlarmDisarmAll<MaintenanceBound<'a>> {
        AlarmDisarmAll::new().bind(self.service)
    }

    /// Asks one member how it is doing.
    pub fn status(self, endpoint: impl Into<EndpointText>) -> Status<MaintenanceBound<'a>> {
        Status::new(endpoint).bind(self.service)
    }

    /// Rewrites the database file of one member, which serves nothing meanwhile.
    pub fn defragment(self, endpoint: impl Into<EndpointText>) -> Defragment<MaintenanceBound<'a>> {
        Defragment::new(endpoint).bind(self.service)
    }

    /// Asks one member for a checksum of its whole database.
    pub fn hash(self, endpoint: impl Into<EndpointText>) -> HashBackend<MaintenanceBound<'a>> {
        HashBackend::new(endpoint).bind(self.service)
    }

    /// Asks one member for a checksum of its keys and values up to `revision`, zero for the current one.
    pub fn hash_kv(
        self,
        endpoint: impl Into<EndpointText>,
        revision: impl Into<Revision>,
    ) -> HashKv<MaintenanceBound<'a>> {
        HashKv::new(endpoint).revision(revision).bind(self.service)
    }

    /// Makes the member `to` the leader. Finds the leader among the client's endpoints.
    pub fn move_leader(self, to: MemberId) -> MoveLeader<MaintenanceBound<'a>> {
        MoveLeader::new(to).bind(self.service)
    }

    /// Asks whether the cluster can be downgraded, starts that, or gives it up.
    pub fn downgrade(self, action: DowngradeAction) -> Downgrade<MaintenanceBound<'a>> {
        Downgrade::new(action).bind(self.service)
    }
}
