//! The address on which a member listens.

use std::io;
use std::net::Ipv4Addr;
#[cfg(unix)]
use std::path::PathBuf;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::connection::{Task, serve};
use crate::service::EtcdService;

/// An address to listen on.
#[derive(Debug, Clone)]
pub(crate) enum Listen {
    /// A port of 127.0.0.1. Zero chooses a free one.
    Tcp(u16),
    #[cfg(unix)]
    Unix(PathBuf),
    Nothing,
}

impl Listen {
    /// Returns the same address as that of `listener`, also if its port was chosen.
    pub(crate) fn again(self, listener: &Listener) -> Self {
        match (self, listener) {
            (Self::Tcp(0), Listener::Tcp(bound)) => {
                Self::Tcp(bound.local_addr().map_or(0, |address| address.port()))
            }
            (other, _) => other,
        }
    }

    pub(crate) async fn bind(&self) -> io::Result<Listener> {
        match self {
            Self::Tcp(port) => Ok(Listener::Tcp(TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).await?)),
            #[cfg(unix)]
            Self::Unix(path) => {
                let listener = tokio::net::UnixListener::bind(path)?;
                Ok(Listener::Unix(UnixSocket { path: path.clone(), listener }))
            }
            Self::Nothing => Ok(Listener::Nothing),
        }
    }
}

/// A bound address.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixSocket),
    Nothing,
}

impl Listener {
    /// Returns the endpoint for clients.
    pub(crate) fn endpoint(&self) -> Option<String> {
        match self {
            Self::Tcp(listener) => Some(format!("http://{}", listener.local_addr().ok()?)),
            #[cfg(unix)]
            Self::Unix(socket) => Some(format!("unix://{}", socket.path.display())),
            Self::Nothing => None,
        }
    }

    /// Accepts connections in a task, and ends them with it.
    pub(crate) fn accept(self, service: &EtcdService) -> Option<Task> {
        let service = service.clone();
        match self {
            Self::Tcp(listener) => Some(Task::spawn(accept_tcp(listener, service))),
            #[cfg(unix)]
            Self::Unix(socket) => Some(Task::spawn(socket.accept(service))),
            Self::Nothing => None,
        }
    }
}

async fn accept_tcp(listener: TcpListener, service: EtcdService) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A connection that fails before it is accepted concerns its client only.
                if let Ok((io, _)) = accepted {
                    let _delay_is_harmless = io.set_nodelay(true);
                    connections.spawn(serve(io, service.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// A unix socket, whose file is removed when this is dropped.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct UnixSocket {
    path: PathBuf,
    listener: tokio::net::UnixListener,
}

#[cfg(unix)]
impl UnixSocket {
    async fn accept(self, service: EtcdService) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => {
                    if let Ok((io, _)) = accepted {
                        connections.spawn(serve(io, service.clone()));
                    }
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

#[cfg(unix)]
impl Drop for UnixSocket {
    fn drop(&mut self) {
        let _may_be_gone = std::fs::remove_file(&self.path);
    }
}
