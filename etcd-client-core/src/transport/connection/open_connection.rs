//! Counts open connections.

use std::sync::{Arc, atomic::Ordering};

use crate::transport::{
    connection::member::Member,
    grpc::method::Purpose,
    observe::{
        event::{ConnectionChange, ConnectionEvent},
        observer::SharedObserver,
        trace,
    },
};

/// One open connection. It is counted until this value is dropped.
#[derive(Debug)]
pub(crate) struct OpenConnection {
    member: Arc<Member>,
    purpose: Purpose,
    observer: SharedObserver,
}

impl OpenConnection {
    pub(crate) fn count(member: &Arc<Member>, purpose: Purpose, observer: &SharedObserver) -> Self {
        let open = Self { member: Arc::clone(member), purpose, observer: observer.clone() };
        let before = member.open_connections(purpose).fetch_add(1, Ordering::Relaxed);
        open.notify(ConnectionChange::Opened, before + 1);
        open
    }

    /// Keeps the connection counted until its driver ends.
    pub(crate) async fn during(self, driver: impl Future<Output = ()>) {
        driver.await;
    }

    fn notify(&self, change: ConnectionChange, count: usize) {
        let event = ConnectionEvent {
            endpoint: self.member.endpoint.as_str(),
            purpose: self.purpose.into(),
            change,
            count,
        };
        trace::connection(&event);
        self.observer.notify(|observer| observer.connection(&event));
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        let before = self.member.open_connections(self.purpose).fetch_sub(1, Ordering::Relaxed);
        self.notify(ConnectionChange::Closed, before - 1);
    }
}
