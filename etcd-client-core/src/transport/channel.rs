//! What services call on: the pool, the headers of every request, and the client's defaults.

use std::{sync::Arc, time::Duration};

use etcd_errors::{Error, ErrorKind};
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONTENT_TYPE, TE, USER_AGENT},
};
use tokio::runtime::Handle;

use super::{call::TimeoutHeader, connector::SharedConnector, endpoint::Endpoint, pool::Pool};
use crate::{
    mechanism::grpc::timeout,
    op::Limits,
    service::{CallOptions, Timeout},
};

/// The version of the API that these crates speak, as the Go client sends it: etcd counts requests by it.
const CLIENT_API_VERSION: HeaderValue = HeaderValue::from_static("3.7");
const API_VERSION_HEADER: HeaderName = HeaderName::from_static("client-api-version");
const REQUIRE_LEADER: HeaderName = HeaderName::from_static("hasleader");
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// A handle on the connections of a client. Cheap to clone; the last one dropped ends them.
#[derive(Clone, Debug)]
pub struct Channel {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    pool: Arc<Pool>,
    limits: Limits,
    timeout: Option<Duration>,
    /// The headers that every request carries.
    base: HeaderMap,
    /// Those and the `grpc-timeout` of a call with the default deadline.
    base_with_timeout: HeaderMap,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.pool.close();
    }
}

/// What a channel is made of.
#[derive(Debug)]
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
        let base = base_headers();
        let mut base_with_timeout = base.clone();
        if let Some(default) = settings.timeout {
            base_with_timeout.insert(GRPC_TIMEOUT, timeout::header(default));
        }
        let pool = Pool::start(settings.endpoints, settings.connector, &runtime);
        let shared =
            Shared { pool, limits: settings.limits, timeout: settings.timeout, base, base_with_timeout };
        Ok(Self { shared: Arc::new(shared) })
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.shared.pool
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    pub(crate) fn max_receive_bytes(&self) -> usize {
        self.shared.limits.max_receive_bytes
    }

    /// A typed error where timers and sockets would panic.
    pub(crate) fn check_runtime(&self) -> Result<(), Error> {
        match Handle::try_current() {
            Ok(_) => Ok(()),
            Err(_) => Err(no_runtime()),
        }
    }

    /// The time that a call with these options has, `None` for any.
    pub(crate) fn timeout(&self, options: &CallOptions) -> Option<Duration> {
        match options.chosen_timeout() {
            Timeout::Default => self.shared.timeout,
            Timeout::None => None,
            Timeout::After(duration) => Some(duration),
        }
    }

    pub(crate) fn is_default_timeout(&self, options: &CallOptions) -> bool {
        options.chosen_timeout() == Timeout::Default
    }

    /// The header block of a request.
    pub(crate) fn headers(&self, options: &CallOptions, left: TimeoutHeader) -> Result<HeaderMap, Error> {
        let mut headers = match left {
            TimeoutHeader::Default => self.shared.base_with_timeout.clone(),
            TimeoutHeader::None | TimeoutHeader::Left(_) => self.shared.base.clone(),
        };
        if let TimeoutHeader::Left(left) = left {
            headers.insert(GRPC_TIMEOUT, timeout::header(left));
        }
        if options.requires_leader() {
            headers.insert(REQUIRE_LEADER, HeaderValue::from_static("true"));
        }
        if !options.metadata_entries().is_empty() {
            options.validate()?;
            add_metadata(&mut headers, options);
        }
        Ok(headers)
    }

    /// The headers that every request carries, for requests that bring their own.
    pub(crate) fn base_headers(&self) -> &HeaderMap {
        &self.shared.base
    }
}

fn base_headers() -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(TE, HeaderValue::from_static("trailers"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("etcd-client-core/", env!("CARGO_PKG_VERSION"))),
    );
    headers.insert(API_VERSION_HEADER, CLIENT_API_VERSION);
    headers
}

/// Adds a caller's metadata, which [`CallOptions::validate`] has checked.
fn add_metadata(headers: &mut HeaderMap, options: &CallOptions) {
    for (name, value) in options.metadata_entries() {
        let encoded = if name.ends_with("-bin") {
            HeaderValue::try_from(binary_header(value.as_bytes())).ok()
        } else {
            HeaderValue::from_bytes(value.as_bytes()).ok()
        };
        if let (Ok(name), Some(value)) = (HeaderName::try_from(name), encoded) {
            headers.append(name, value);
        }
    }
}

/// gRPC carries binary values in base64.
fn binary_header(value: &[u8]) -> Vec<u8> {
    tonic::metadata::BinaryMetadataValue::from_bytes(value).as_encoded_bytes().to_vec()
}

pub(crate) fn no_runtime() -> Error {
    Error::new(ErrorKind::NoRuntime, "there is no tokio runtime here: call this inside of one")
}
