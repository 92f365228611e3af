//! A snapshot from one member, verified while it is received.

use std::time::Duration;

use bytes::Bytes;
use etcd_errors::{Attempt, Code, Error, ErrorKind, GrpcCode, Outcome};
use etcd_proto::etcdserverpb as pb;
use futures_util::stream::unfold;
use tokio::{task::coop::consume_budget, time::Instant};

use crate::{
    request::CallOptions,
    snapshot::{
        SnapshotStream,
        check::{SnapshotCheck, SnapshotFault},
        codec::{self, SnapshotPart},
    },
    transport::{
        call::{channel::Channel, unary::Call},
        check_runtime,
        connection::message_stream::MessageStream,
        grpc::{
            failure::Failure,
            method::{Method, with_operation},
            observation::Observation,
            timeout::seconds,
        },
        pool::closed,
        stream::header_check::HeaderCheck,
    },
    types::Endpoint,
};

const METHOD: Method = Method::Snapshot;

/// The parameters of a snapshot.
#[derive(Debug)]
pub(crate) struct SnapshotCall {
    /// The member to read from, or `None` for any.
    pub(crate) member: Option<Endpoint>,
    /// The maximum wait for the next bytes. It includes connecting and the first message.
    pub(crate) idle_timeout: Duration,
    /// The maximum size of the snapshot, including the digest.
    pub(crate) max_bytes: u64,
    pub(crate) options: CallOptions,
}

/// Opens a snapshot and waits for its first message, which shows whether the member rejects the request.
///
/// Other members are tried until one has responded. From then on, the snapshot stays with that member.
pub(crate) async fn open_snapshot(client: &Channel, call: SnapshotCall) -> Result<SnapshotStream, Error> {
    with_operation(METHOD, check_runtime())?;
    let (channel, asked) = match call.member {
        Some(member) if client.pool().has(&member) => (client.clone(), call.options.endpoint(member)),
        Some(member) => (with_operation(METHOD, client.only(member))?, call.options),
        None => (client.clone(), call.options),
    };
    let started = Instant::now();
    let limit = channel.time_limit(Call::new(METHOD, &asked));
    let first_timeout = limit.map_or(call.idle_timeout, |limit| limit.min(call.idle_timeout));
    let options = asked.timeout(first_timeout);
    let request = pb::SnapshotRequest {};
    let messages = tokio::select! {
        messages = channel.server_stream(Call::new(METHOD, &options), &request) => messages?,
        // A separate channel for one endpoint has its own pool, which the client's shutdown does not close.
        () = client.pool().shutdown() => return with_operation(METHOD, Err(closed())),
    };
    let mut reader = Reader {
        messages,
        // Not linearizable: the database on a member's disk may lag behind the cluster.
        header_check: channel.header_check(false),
        check: SnapshotCheck::new(call.max_bytes),
        idle_timeout: call.idle_timeout,
        deadline: limit.and_then(|limit| started.checked_add(limit)),
        started,
        ended: false,
        client: client.clone(),
        _channel: channel,
    };
    let first = reader.first().await?;
    let total_bytes = reader.check.announced();
    Ok(SnapshotStream::new(unfold(Some(reader), chunk))
        .with_header(first.header)
        .with_version(first.version)
        .with_total_bytes(total_bytes))
}

async fn chunk(reader: Option<Reader>) -> Option<(Result<Bytes, Error>, Option<Reader>)> {
    let mut reader = reader?;
    match reader.next().await {
        Ok(Some(chunk)) => Some((Ok(chunk), Some(reader))),
        Ok(None) => None,
        Err(error) => Some((Err(error), None)),
    }
}

struct Reader {
    messages: MessageStream<pb::SnapshotResponse>,
    header_check: HeaderCheck,
    check: SnapshotCheck,
    idle_timeout: Duration,
    /// The deadline of the whole call.
    deadline: Option<Instant>,
    started: Instant,
    ended: bool,
    /// Closing the client ends the snapshot, even if it uses a separate channel.
    client: Channel,
    /// Held because the connection of `messages` closes with its channel.
    _channel: Channel,
}

impl Reader {
    /// Returns the first message. Its bytes go to the check.
    async fn first(&mut self) -> Result<SnapshotPart, Error> {
        let idle = self.idle_deadline();
        let Some(part) = self.part(idle).await? else {
            let fault = self.check.finish().err().unwrap_or(SnapshotFault::Empty { length: 0 });
            return Err(self.fault(fault));
        };
        let pushed = self.check.push(part.bytes.clone(), part.remaining);
        pushed.map_err(|fault| self.fault(fault))?;
        Ok(SnapshotPart { bytes: Bytes::new(), ..part })
    }

    /// Returns the next bytes that may be used, or `None` after the digest.
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        with_operation(METHOD, check_runtime())?;
        loop {
            if let Some(chunk) = self.check.pop() {
                return Ok(Some(chunk));
            }
            if self.ended {
                return Ok(None);
            }
            self.advance().await?;
        }
    }

    /// Reads until bytes have arrived or the snapshot has ended. Empty messages do not reset the idle timeout.
    async fn advance(&mut self) -> Result<(), Error> {
        let idle = self.idle_deadline();
        loop {
            let Some(part) = self.part(idle).await? else {
                self.ended = true;
                return self.check.finish().map_err(|fault| self.fault(fault));
            };
            let empty = part.bytes.is_empty();
            self.check.push(part.bytes, part.remaining).map_err(|fault| self.fault(fault))?;
            if !empty {
                return Ok(());
            }
        }
    }

    async fn part(&mut self, idle: Option<Instant>) -> Result<Option<SnapshotPart>, Error> {
        // Buffered messages are ready at once. Consuming budget lets other tasks of this thread run and the
        // deadline be checked.
        consume_budget().await;
        let deadline = [idle, self.deadline].into_iter().flatten().min();
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Err(self.fail(self.late()));
        }
        let message = tokio::select! {
            message = self.messages.next(deadline) => message,
            () = self.client.pool().shutdown() => return Err(self.fail(closed())),
        };
        match message {
            Ok(message) => message.map(|message| self.checked_part(message)).transpose(),
            Err(failure) => Err(self.failed(failure)),
        }
    }

    /// Converts a message after checking that its header belongs to this client's cluster.
    fn checked_part(&self, message: pb::SnapshotResponse) -> Result<SnapshotPart, Error> {
        let connection = self.messages.connection();
        let checked = message
            .header
            .as_ref()
            .map_or(Ok(()), |header| self.header_check.check_header(header, Some(connection)));
        checked.and_then(|()| codec::snapshot_part(message)).map_err(|error| self.fail(error))
    }

    fn idle_deadline(&self) -> Option<Instant> {
        Instant::now().checked_add(self.idle_timeout)
    }

    fn failed(&self, failure: Failure) -> Error {
        let ended = self.client.pool().check_alive().err();
        let error = ended.unwrap_or_else(|| match failure.observation {
            Observation::DeadlinePassed => self.late(),
            _ => failure.into_error(),
        });
        self.fail(error)
    }

    fn late(&self) -> Error {
        let came = self.check.length();
        let of_call = self.deadline.is_some_and(|deadline| deadline <= Instant::now());
        let text = if of_call {
            format!("the deadline passed after {came} bytes were received")
        } else {
            let idle = seconds(self.idle_timeout);
            format!("the member stalled: no data for {idle} after {came} bytes")
        };
        Error::new(ErrorKind::Timeout, text)
    }

    fn fault(&self, fault: SnapshotFault) -> Error {
        let error = Error::new(ErrorKind::Protocol, fault.to_string());
        self.fail(match fault {
            SnapshotFault::TooLarge { .. } => error.with_code(Code::Other(GrpcCode::ResourceExhausted)),
            _ => error,
        })
    }

    fn fail(&self, error: Error) -> Error {
        let elapsed = self.started.elapsed();
        let endpoint = self.messages.connection().endpoint();
        let attempt =
            Attempt::new(endpoint, error.message().to_owned()).with_sent(true).with_elapsed(elapsed);
        error
            .with_operation(METHOD.operation())
            .with_outcome(Outcome::NotApplied)
            .with_attempts(vec![attempt])
            .with_elapsed(elapsed)
    }
}
