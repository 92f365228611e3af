//! What services call on: the pool, the headers of every request, and the client's defaults.

use std::{sync::Arc, time::Duration};

use etcd_errors::{Error, ErrorKind};
use http::HeaderMap;
use tokio::runtime::Handle;

use super::{
    call::Call,
    connector::SharedConnector,
    endpoint::Endpoint,
    headers::{Headers, TimeoutHeader},
    method::Patience,
    pool::Pool,
};
use crate::{
    op::Limits,
    service::{CallOptions, Timeout},
};

/// A handle on the connections of a client. Cheap to clone; the last one dropped ends them.
#[derive(Clone, Debug)]
pub struct Channel {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    pool: Arc<Pool>,
    settings: Settings,
    headers: Headers,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.pool.close();
    }
}

/// What a channel is made of.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) connector: SharedConnector,
    pub(crate) limits: Limits,
    pub(crate) timeout: Option<Duration>,
}

impl Channel {
    /// Starts connecting in the background. Fails only outside of a tokio runtime.
    pub(crate) fn start(settings: Settings) -> Result<Self, Error> {
        let runtime = Handle::try_current().map_err(|_| no_runtime())?;
        let pool = Pool::start(settings.endpoints.clone(), settings.connector.clone(), &runtime);
        let headers = Headers::new(settings.timeout);
        Ok(Self { shared: Arc::new(Shared { pool, settings, headers }) })
    }

    /// A channel of its own to one endpoint, with everything else as it is here. It closes when it is dropped.
    ///
    /// Fails only outside of a tokio runtime.
    pub(crate) fn only(&self, endpoint: Endpoint) -> Result<Self, Error> {
        Self::start(Settings { endpoints: vec![endpoint], ..self.shared.settings.clone() })
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.shared.pool
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.shared.settings.limits
    }

    pub(crate) fn max_receive_bytes(&self) -> usize {
        self.shared.settings.limits.max_receive_bytes
    }

    /// The time that a call has, `None` for any: its own, else what suits its RPC.
    pub(crate) fn time_limit(&self, call: Call<'_>) -> Option<Duration> {
        let unlimited = call.method.patience() == Patience::Unlimited;
        let chosen = call.options.chosen_timeout();
        if unlimited && chosen == Timeout::Default { None } else { self.timeout(call.options) }
    }

    /// The time that a call of most RPCs with these options has, `None` for any.
    pub(crate) fn timeout(&self, options: &CallOptions) -> Option<Duration> {
        match options.chosen_timeout() {
            Timeout::Default => self.shared.settings.timeout,
            Timeout::None => None,
            Timeout::After(duration) => Some(duration),
        }
    }

    /// Whether the call has the client's own timeout, for which a header is prepared.
    pub(crate) fn is_default_timeout(&self, call: Call<'_>) -> bool {
        call.options.chosen_timeout() == Timeout::Default && call.method.patience() == Patience::Default
    }

    /// The header block of a request.
    pub(crate) fn headers(&self, options: &CallOptions, timeout: TimeoutHeader) -> HeaderMap {
        self.shared.headers.of(options, timeout)
    }

    /// The headers that every request carries, for requests that bring their own.
    pub(crate) fn base_headers(&self) -> &HeaderMap {
        self.shared.headers.base()
    }
}

/// A typed error where timers and sockets would panic.
pub(crate) fn check_runtime() -> Result<(), Error> {
    Handle::try_current().map(drop).map_err(|_| no_runtime())
}

fn no_runtime() -> Error {
    Error::new(ErrorKind::NoRuntime, "there is no tokio runtime here: call this inside of one")
}
