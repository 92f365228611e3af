//! Implements the service traits for the client, for code that accepts any service.

use std::{future::Future, pin::Pin};

use etcd_errors::Error;

use super::Client;
use crate::{
    op::*,
    service::{CallOptions, KeptLease, LeaderStream, RangeStream, WatchHandle, for_each_service, forward_to},
};

type Called<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

macro_rules! for_client {
    ($service:ident, $getter:ident; $($methods:tt)*) => {
        forward_to! { () $service for Client, self => self.$getter(); $($methods)* }
    };
}

for_each_service!(for_client);
