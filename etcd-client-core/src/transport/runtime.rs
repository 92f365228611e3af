//! TODO-HEADER transport::runtime

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use etcd_errors::{Error, ErrorKind};
use etcd_proto::etcdserverpb as pb;
use http::HeaderMap;
use tokio::{runtime::Handle, time::timeout};

use crate::{
    request::{CallOptions, Limits, Timeout},
    transport::{
        balance::policy::{Balance, Preference},
        call::{budget::Budget, leader, leader::Leader, unary::Call},
        connection::{
            history::{History, Origin, Regression, Violation},
            identity::disbelief,
            verified::Connection,
        },
        endpoint::authority::Origins,
        grpc::{
            headers::{Headers, TimeoutHeader},
            method::Patience,
            observation::Class,
        },
        pool::{Pool, PoolSettings},
        token::Tokens,
    },
    types::Endpoint,
};

/// Returns an error outside a Tokio runtime, where timers and sockets would panic.
pub(crate) fn check_runtime() -> Result<(), Error> {
    Handle::try_current().map(drop).map_err(|_| no_runtime())
}

pub(crate) fn no_runtime() -> Error {
    Error::new(ErrorKind::NoRuntime, "must be called from within a Tokio runtime")
}
