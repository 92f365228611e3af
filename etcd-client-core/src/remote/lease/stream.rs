//! One stream of renewals: opened on the best member that can be had, then asks and answers until it ends.

use std::{
    pin::pin,
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
    mechanism::{
        ejection::{Use, usefulness},
        keepalive::{End, StreamId, end_of},
        rejection::{self, Remedy},
        retry::Observation,
    },
    model::LeaseId,
    service::CallOptions,
    transport::{
        call::Call,
        caller::Caller,
        channel::Channel,
        duplex::Duplex,
        examiner::Examiner,
        failure::Failure,
        headers::TimeoutHeader,
        member::Member,
        method::Method,
        record::Need,
        token::Carried,
        wish::{Preference, Wish},
    },
    wire,
};

/// How long one attempt to open a stream takes at most: it holds its client open meanwhile.
const OPENING: Duration = Duration::from_secs(2);

/// What a stream has to tell.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) stream: StreamId,
    pub(super) attempt: u64,
    pub(super) happened: Happened,
}

#[derive(Debug)]
pub(super) enum Happened {
    /// On this member, where there is one.
    Opened(Option<Arc<Member>>),
    /// The lease lives for so long again, or does not exist.
    Answered(LeaseId, Option<Duration>),
    Ended(End, Error),
}

/// One stream of renewals.
#[derive(Debug)]
pub(super) struct RenewalStream {
    pub(super) stream: StreamId,
    pub(super) attempt: u64,
    /// The members to prefer others to.
    pub(super) avoid: Vec<usize>,
    pub(super) caller: Weak<Caller>,
    pub(super) asked: mpsc::Receiver<LeaseId>,
    pub(super) tell: mpsc::Sender<Event>,
}

/// A stream that is open, and the token that it carries.
struct Renewing {
    messages: Duplex<pb::LeaseKeepAliveResponse>,
    carried: Carried,
}

impl RenewalStream {
    pub(super) async fn run(mut self) {
        let service = matches!(self.caller.upgrade().as_deref(), Some(Caller::Service(_)));
        let (end, error) = if service { self.call_by_call().await } else { self.on_connection().await };
        self.tell(Happened::Ended(end, error)).await;
    }

    async fn tell(&self, happened: Happened) {
        // An error means that nobody renews any more.
        let _ = self.tell.send(Event { stream: self.stream, attempt: self.attempt, happened }).await;
    }

    async fn on_connection(&mut self) -> (End, Error) {
        let (stream, examiner) = match self.open().await {
            Ok(opened) => opened,
            Err(error) => return (End::Broken, error),
        };
        let opened = Instant::now();
        let member = Arc::clone(&stream.messages.connection().member);
        self.tell(Happened::Opened(Some(Arc::clone(&member)))).await;
        self.converse(stream, &examiner, &member, opened).await
    }

    async fn open(&self) -> Result<(Renewing, Examiner), Error> {
        let caller = self.caller.upgrade().ok_or_else(|| gone("the client was closed"))?;
        let channel = caller.channel();
        let preference = channel.reachable_leader().map_or(Preference::Any, Preference::Member);
        let wish = Wish { tried: &self.avoid, preference, ..Wish::any(channel.pool().now()) };
        // A member that knows of no leader says so after a while, instead of holding up every renewal.
        let options = CallOptions::default().require_leader();
        let stream = timeout(OPENING, Renewing::open(channel, &options, &wish)).await;
        let stream = stream.map_err(|_elapsed| gone("no member could be reached"))?;
        Ok((stream.map_err(named)?, channel.examiner(false)))
    }

    async fn converse(
        &mut self,
        mut stream: Renewing,
        examiner: &Examiner,
        member: &Member,
        opened: Instant,
    ) -> (End, Error) {
        let mut answered = false;
        let connection = Arc::clone(stream.messages.connection());
        let mut leaving = pin!(connection.leaving());
        loop {
            let failure = tokio::select! {
                asked = self.asked.recv(), if stream.messages.has_room() => match asked {
                    Some(lease) => {
                        self.ask(&mut stream, lease);
                        continue;
                    }
                    None => return (End::Broken, gone("the stream is not needed any more")),
                },
                next = stream.messages.next() => match next {
                    Ok(Some(answer)) => {
                        if let Some(header) = &answer.header
                            && let Err(error) = examiner.examine(header, Some(member))
                        {
                            return (End::Broken, error);
                        }
                        if !std::mem::replace(&mut answered, true)
                            && let Some(caller) = self.caller.upgrade()
                        {
                            let began = caller.channel().pool().at(opened);
                            member.judge(Need::Quorum, Use::Good, began..began);
                        }
                        let Some(lease) = LeaseId::new(answer.id) else { continue };
                        self.tell(Happened::Answered(lease, wire::lease_ttl(answer.ttl))).await;
                        continue;
                    }
                    Ok(None) => Failure::new(Observation::Lost, "the member ended the stream"),
                    Err(failure) => failure,
                },
                // Left open the stream would hold up the member's exit.
                () = &mut leaving => Failure::new(Observation::Lost, "the member is going away"),
            };
            return self.failed(&stream, member, failure, opened);
        }
    }

    /// Queues this one and all that wait, so that they leave together.
    fn ask(&mut self, stream: &mut Renewing, lease: LeaseId) {
        let mut next = Some(lease);
        while let Some(lease) = next {
            stream.messages.push(&wire::lease_keep_alive_request(lease));
            next = stream.messages.has_room().then(|| self.asked.try_recv().ok()).flatten();
        }
    }

    fn failed(&self, stream: &Renewing, member: &Member, failure: Failure, opened: Instant) -> (End, Error) {
        let caller = self.caller.upgrade();
        let channel = caller.as_deref().map(Caller::channel);
        if channel.is_some_and(|channel: &Channel| stream.is_rejected(channel, &failure)) {
            return (End::Broken, named(failure.into_error()));
        }
        let end = end_of(failure.observation);
        if let (End::Broken, Some(channel)) = (end, channel) {
            let usefulness = usefulness(failure.observation, opened.elapsed());
            let took = channel.pool().at(opened)..channel.pool().now();
            member.judge(Need::Quorum, usefulness, took);
        }
        (end, named(failure.into_error()))
    }

    /// Through a service of the user's each renewal is a call: it is one stream with one message each way, as a call is.
    async fn call_by_call(&mut self) -> (End, Error) {
        self.tell(Happened::Opened(None)).await;
        while let Some(lease) = self.asked.recv().await {
            let Some(caller) = self.caller.upgrade() else { break };
            let options = CallOptions::default();
            let call = Call::new(Method::LeaseKeepAlive, &options);
            let request = wire::lease_keep_alive_request(lease);
            let convert = |response| wire::lease_keep_alive_response(response, lease);
            match caller.unary(call, &request, convert).await {
                Ok(renewed) => {
                    self.tell(Happened::Answered(lease, renewed.map(|renewed| renewed.ttl))).await;
                }
                Err(error) => {
                    let refused = error.code().map(|code| Observation::Refused(code, Outcome::NotApplied));
                    return (refused.map_or(End::Broken, end_of), error);
                }
            }
        }
        (End::Broken, gone("the client was closed"))
    }
}

impl Renewing {
    /// Waits for a token where one is needed, and for a connection, as long as that takes. Nothing was sent where it fails.
    async fn open(channel: &Channel, options: &CallOptions, wish: &Wish<'_>) -> Result<Self, Error> {
        channel.pool().check_alive()?;
        let tokens = channel.tokens();
        if tokens.is_missing() {
            tokens.renew(channel, Carried::default()).await?;
        }
        let flight = channel.pool().acquire_stream(wish).await?;
        let (headers, carried) = tokens.headers(options, TimeoutHeader::None);
        let messages = Duplex::open(flight, Method::LeaseKeepAlive, headers, channel.max_receive_bytes());
        Ok(Self { messages: messages.map_err(Failure::into_error)?, carried })
    }

    /// Whether the failure is about the token, so that another one helps: the next stream gets that before it opens.
    fn is_rejected(&self, channel: &Channel, failure: &Failure) -> bool {
        let tokens = channel.tokens();
        let had_token = self.carried.had_token();
        let remedy = rejection::remedy(tokens.kind(), failure.observation, had_token, 1);
        if remedy == Some(Remedy::Renew) {
            tokens.reject(self.carried);
        }
        remedy.is_some()
    }
}

fn named(error: Error) -> Error {
    error.with_operation(Method::LeaseKeepAlive.operation())
}

fn gone(text: &'static str) -> Error {
    named(Error::new(etcd_errors::ErrorKind::Unavailable, text))
}
