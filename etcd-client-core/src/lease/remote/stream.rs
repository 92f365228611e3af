//! One stream of renewals: opened on the best available member, then used until it ends.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use etcd_errors::{Error, Outcome};
use etcd_proto::etcdserverpb as pb;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

use crate::{
    lease::{
        codec,
        schedule::stream::{End, Route, StreamId, end_of},
    },
    request::CallOptions,
    transport::{
        balance::{
            Preference,
            ejection::{CallQuality, usefulness},
            member_health::Scope,
        },
        call::{authenticate, channel::Channel, unary::Call},
        caller::Caller,
        connection::member::Member,
        grpc::{failure::Failure, headers::TimeoutHeader, method::Method, observation::Observation},
        pool::selection::Selection,
        stream::{duplex::Duplex, header_check::HeaderCheck},
        token::{
            Carried,
            rejection::{Recovery, recovery},
        },
    },
    types::LeaseId,
};

/// The maximum duration of an attempt to open a stream. The attempt keeps its client open.
const OPENING: Duration = Duration::from_secs(2);

/// An event of a stream.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) stream: StreamId,
    pub(crate) attempt: u64,
    pub(crate) happened: Happened,
}

#[derive(Debug)]
pub(crate) enum Happened {
    /// The stream is open, on this connection if it has one.
    Opened(Option<(Arc<Member>, usize)>),
    /// The lease has this TTL again, or does not exist.
    Answered(LeaseId, Option<Duration>),
    Ended(End, Error),
}

/// One stream of renewals.
#[derive(Debug)]
pub(crate) struct RenewalStream {
    pub(crate) stream: StreamId,
    pub(crate) attempt: u64,
    /// Connections to avoid if there is another one.
    pub(crate) avoid: Vec<Route>,
    pub(crate) caller: Weak<Caller>,
    pub(crate) asked: mpsc::Receiver<LeaseId>,
    pub(crate) event_sender: mpsc::Sender<Event>,
}

/// An open stream, and the state that it was opened with.
struct Renewing {
    stream: Duplex<pb::LeaseKeepAliveResponse>,
    header_check: HeaderCheck,
    carried: Carried,
    opened: Instant,
}

impl RenewalStream {
    pub(crate) async fn run(mut self) {
        let service = matches!(self.caller.upgrade().as_deref(), Some(Caller::Service(_)));
        let (end, error) = if service { self.call_by_call().await } else { self.on_connection().await };
        self.report(Happened::Ended(end, error)).await;
    }

    async fn report(&self, happened: Happened) {
        // Sending fails only after the renewal task has ended.
        let _ = self.event_sender.send(Event { stream: self.stream, attempt: self.attempt, happened }).await;
    }

    async fn on_connection(&mut self) -> (End, Error) {
        let mut open = match self.open().await {
            Ok(open) => open,
            Err(error) => return (End::Broken, named(error)),
        };
        let member = Arc::clone(&open.stream.connection().member);
        let connection = open.stream.connection().id;
        self.report(Happened::Opened(Some((Arc::clone(&member), connection)))).await;
        self.converse(&mut open, &member).await
    }

    async fn open(&self) -> Result<Renewing, Error> {
        let caller = self.caller.upgrade().ok_or_else(|| gone("the client was closed"))?;
        let opening = timeout(OPENING, self.open_on(caller.channel())).await;
        opening.map_err(|_elapsed| gone("no member was reachable"))?
    }

    async fn open_on(&self, channel: &Channel) -> Result<Renewing, Error> {
        if channel.tokens().is_missing() {
            authenticate::renew(channel, Carried::default()).await?;
        }
        let preference = channel.reachable_leader().map_or(Preference::Any, Preference::Member);
        let (tried, shunned): (Vec<usize>, Vec<usize>) =
            self.avoid.iter().map(|route| (route.endpoint, route.connection)).unzip();
        let selection = Selection {
            tried: &tried,
            shunned: &shunned,
            preference,
            ..Selection::any(channel.pool().now())
        };
        let permit = channel.pool().acquire_stream(&selection).await?;
        // A member without a leader then ends the stream with an error after a while, instead of delaying
        // every renewal.
        let options = CallOptions::default().require_leader();
        let (headers, carried) = channel.tokens().headers(&options, TimeoutHeader::None);
        let stream = Duplex::open(permit, Method::LeaseKeepAlive, headers, channel.max_receive_bytes());
        let stream = stream.map_err(Failure::into_error)?;
        Ok(Renewing { stream, header_check: channel.header_check(false), carried, opened: Instant::now() })
    }

    async fn converse(&mut self, open: &mut Renewing, member: &Member) -> (End, Error) {
        let connection = Arc::clone(open.stream.connection());
        let closing = connection.closing();
        tokio::pin!(closing);
        let mut answered = false;
        loop {
            let failure = tokio::select! {
                // Responses first: a renewal that was already answered must not become late because requests
                // are queued or the connection is draining.
                biased;
                next = open.stream.next() => match next {
                    Ok(Some(answer)) => {
                        if let Some(header) = &answer.header
                            && let Err(error) = open.header_check.check_header(header, Some(&connection))
                        {
                            return (End::Broken, named(error));
                        }
                        if !std::mem::replace(&mut answered, true)
                            && let Some(caller) = self.caller.upgrade()
                        {
                            // Counted from the opening, so that a stream from before an ejection cannot end
                            // the ejection.
                            let began = caller.channel().pool().at(open.opened);
                            member.record(Scope::Quorum, CallQuality::Good, began..began);
                        }
                        // No lease has the id 0, so this answers no request.
                        let Some(lease) = LeaseId::new(answer.id) else { continue };
                        self.report(Happened::Answered(lease, codec::lease_ttl(answer.ttl))).await;
                        continue;
                    }
                    Ok(None) => Failure::new(Observation::Lost, "the member ended the stream without an error"),
                    Err(failure) => failure,
                },
                asked = self.asked.recv() => match asked {
                    Some(lease) => {
                        self.ask(&mut open.stream, lease);
                        continue;
                    }
                    None => return (End::Broken, gone("the stream is no longer needed")),
                },
                // An open stream would delay the member's shutdown.
                () = &mut closing => Failure::new(Observation::Lost, "the member is draining this connection"),
            };
            return self.failed(open, member, failure);
        }
    }

    /// Queues this request and all that are waiting, so that they are sent together. The schedule bounds the number
    /// of unanswered requests.
    fn ask(&mut self, stream: &mut Duplex<pb::LeaseKeepAliveResponse>, lease: LeaseId) {
        let mut next = Some(lease);
        while let Some(lease) = next {
            stream.push(&codec::lease_keep_alive_request(lease));
            next = self.asked.try_recv().ok();
        }
    }

    fn failed(&self, open: &Renewing, member: &Member, failure: Failure) -> (End, Error) {
        let observation = failure.observation;
        let error = named(failure.into_error());
        let Some(caller) = self.caller.upgrade() else { return (End::Broken, error) };
        let channel = caller.channel();
        let tokens = channel.tokens();
        if let Some(recovery) = recovery(tokens.kind(), observation, open.carried.had_token(), 1) {
            // The next stream renews the token before it opens. The backoff bounds how often that happens.
            if recovery == Recovery::Renew {
                tokens.reject(open.carried);
            }
            return (End::Broken, error);
        }
        let end = end_of(observation);
        if end == End::Broken {
            let usefulness = usefulness(observation, open.opened.elapsed());
            let took = channel.pool().at(open.opened)..channel.pool().now();
            member.record(Scope::Quorum, usefulness, took);
        }
        (end, error)
    }

    /// Renews leases with one call each, over a caller-supplied service. A call is a stream with one message in each
    /// direction.
    async fn call_by_call(&mut self) -> (End, Error) {
        self.report(Happened::Opened(None)).await;
        while let Some(lease) = self.asked.recv().await {
            let Some(caller) = self.caller.upgrade() else { break };
            let options = CallOptions::default();
            let call = Call::new(Method::LeaseKeepAlive, &options);
            let request = codec::lease_keep_alive_request(lease);
            let convert = |response| codec::lease_keep_alive_response(response, lease);
            match caller.unary(call, &request, convert).await {
                Ok(renewed) => {
                    self.report(Happened::Answered(lease, renewed.map(|renewed| renewed.ttl))).await;
                }
                Err(error) => {
                    let rejected = error.code().map(|code| Observation::Rejected(code, Outcome::NotApplied));
                    return (rejected.map_or(End::Broken, end_of), error);
                }
            }
        }
        (End::Broken, gone("the client was closed"))
    }
}

fn named(error: Error) -> Error {
    error.with_operation(Method::LeaseKeepAlive.operation())
}

fn gone(text: &'static str) -> Error {
    named(Error::new(etcd_errors::ErrorKind::Unavailable, text))
}
