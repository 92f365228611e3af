//! The Maintenance service over a channel. Calls about the cluster go to any member, calls about one member to its
//! endpoint.

use async_trait::async_trait;
use etcd_errors::{Error, ErrorKind};

use crate::{
    maintenance::{
        Alarm, AlarmDisarm, AlarmDisarmAll, AlarmDisarmAllResponse, AlarmDisarmResponse, AlarmFailure,
        AlarmList, AlarmListResponse, Defragment, DefragmentResponse, Downgrade, DowngradeAction,
        DowngradeResponse, Hash, HashKv, HashKvResponse, HashResponse, MaintenanceService, MoveLeader,
        MoveLeaderResponse, Status, StatusResponse, codec, move_leader, one_member,
    },
    request::CallOptions,
    transport::{
        call::{Remaining, channel::Channel, unary::Call},
        grpc::{
            method::{Method, with_operation},
            observation::Class,
        },
    },
};

/// The Maintenance service of a cluster.
#[derive(Clone, Debug)]
pub(crate) struct RemoteMaintenance {
    channel: Channel,
}

impl RemoteMaintenance {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { channel }
    }
}

#[async_trait]
impl MaintenanceService for RemoteMaintenance {
    async fn alarm_list(&self, op: AlarmList, options: CallOptions) -> Result<AlarmListResponse, Error> {
        let call = Call::new(Method::Alarm, &options).of_class(Class::Read);
        self.channel.unary(call, &codec::alarm_list_request(op), codec::alarm_list_response).await
    }

    async fn alarm_disarm(
        &self,
        op: AlarmDisarm,
        options: CallOptions,
    ) -> Result<AlarmDisarmResponse, Error> {
        with_operation(Method::Alarm, op.validate())?;
        let asked = Alarm::new(op.member, op.kind);
        let request = codec::alarm_disarm_request(op);
        let call = Call::new(Method::Alarm, &options);
        self.channel.unary(call, &request, |response| codec::alarm_disarm_response(response, asked)).await
    }

    async fn alarm_disarm_all(
        &self,
        _op: AlarmDisarmAll,
        options: CallOptions,
    ) -> Result<AlarmDisarmAllResponse, Error> {
        let remaining = Remaining::start(&self.channel, &options);
        let listed = self.alarm_list(AlarmList::new(), remaining.options(&options)).await?;
        let mut answer = AlarmDisarmAllResponse::new(listed.header);
        for alarm in listed.alarms {
            let disarmed = if remaining.has_passed() {
                let late =
                    Error::new(ErrorKind::Timeout, "the deadline passed before the alarm was disarmed");
                with_operation(Method::Alarm, Err(late))
            } else {
                let disarm = AlarmDisarm::new(alarm.member, alarm.kind);
                self.alarm_disarm(disarm, remaining.options(&options)).await
            };
            match disarmed {
                Ok(_) => answer.disarmed.push(alarm),
                Err(error) => answer.failed.push(AlarmFailure::new(alarm, error)),
            }
        }
        Ok(answer)
    }

    async fn status(&self, op: Status, options: CallOptions) -> Result<StatusResponse, Error> {
        let call = Call::new(Method::Status, &options);
        let (endpoint, request) = codec::status_request(op);
        one_member::unary(&self.channel, endpoint, call, &request, codec::status_response).await
    }

    async fn defragment(&self, op: Defragment, options: CallOptions) -> Result<DefragmentResponse, Error> {
        let call = Call::new(Method::Defragment, &options);
        let (endpoint, request) = codec::defragment_request(op);
        one_member::unary(&self.channel, endpoint, call, &request, codec::defragment_response).await
    }

    async fn hash(&self, op: Hash, options: CallOptions) -> Result<HashResponse, Error> {
        let call = Call::new(Method::Hash, &options);
        let (endpoint, request) = codec::hash_request(op);
        one_member::unary(&self.channel, endpoint, call, &request, codec::hash_response).await
    }

    async fn hash_kv(&self, op: HashKv, options: CallOptions) -> Result<HashKvResponse, Error> {
        with_operation(Method::HashKv, op.validate())?;
        let call = Call::new(Method::HashKv, &options);
        let (endpoint, request) = codec::hash_kv_request(op);
        one_member::unary(&self.channel, endpoint, call, &request, codec::hash_kv_response).await
    }

    async fn move_leader(&self, op: MoveLeader, options: CallOptions) -> Result<MoveLeaderResponse, Error> {
        move_leader::run(self, &self.channel, op, &options).await
    }

    async fn downgrade(&self, op: Downgrade, options: CallOptions) -> Result<DowngradeResponse, Error> {
        with_operation(Method::Downgrade, op.validate())?;
        let reads = matches!(op.action, DowngradeAction::Validate { .. });
        let class = if reads { Class::Read } else { Class::Write };
        let request = codec::downgrade_request(op);
        let call = Call::new(Method::Downgrade, &options).of_class(class);
        self.channel.unary(call, &request, |response| codec::downgrade_response(response, reads)).await
    }
}
