//! Logging in from outside of the client: a door before a member adds a token to whatever passes.

use std::ops::Deref;

use bytes::Bytes;
use etcd_client_core::Client;
use etcd_proto::etcdserverpb::{AuthenticateRequest, auth_client::AuthClient};
use etcd_testkit::Cluster;
use h2::{RecvStream, SendStream, client::SendRequest, server::SendResponse};
use http::{HeaderValue, Request};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};
use tonic::Status;

use crate::servers::client;

/// A client whose calls carry the token of a user.
pub(super) struct LoggedIn {
    client: Client,
    door: JoinHandle<()>,
}

impl LoggedIn {
    pub(super) async fn as_user(cluster: &Cluster, user: &str, password: &str) -> Result<Self, Status> {
        let token = authenticate(&client(cluster.endpoints()), user, password).await?;
        let token = HeaderValue::try_from(token).expect("tokens are printable");
        let member = cluster.member(0).tcp_endpoint().trim_start_matches("http://").to_owned();
        let door = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", door.local_addr().expect("bound"));
        let door = tokio::spawn(keep(door, member, token));
        Ok(Self { client: client([endpoint]), door })
    }
}

impl Deref for LoggedIn {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for LoggedIn {
    fn drop(&mut self) {
        self.door.abort();
    }
}

/// Asks the server for a token.
pub(super) async fn authenticate(client: &Client, user: &str, password: &str) -> Result<String, Status> {
    let request = AuthenticateRequest { name: user.to_owned(), password: password.to_owned() };
    AuthClient::new(client.channel()).authenticate(request).await.map(|answer| answer.into_inner().token)
}

async fn keep(door: TcpListener, member: String, token: HeaderValue) {
    let mut visitors = JoinSet::new();
    while let Ok((visitor, _)) = door.accept().await {
        visitors.spawn(pass(visitor, member.clone(), token.clone()));
    }
}

async fn pass(visitor: TcpStream, member: String, token: HeaderValue) {
    let Ok(member) = TcpStream::connect(member).await else { return };
    let Ok((send, connection)) = h2::client::handshake(member).await else { return };
    let Ok(mut visitor) = h2::server::handshake(visitor).await else { return };
    let mut work = JoinSet::new();
    work.spawn(async move { connection.await.unwrap_or_default() });
    while let Some(Ok((mut request, respond))) = visitor.accept().await {
        request.headers_mut().insert("token", token.clone());
        let send = send.clone();
        work.spawn(async move { forward(send, request, respond).await.unwrap_or_default() });
    }
}

async fn forward(
    send: SendRequest<Bytes>,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) -> Result<(), h2::Error> {
    let (head, body) = request.into_parts();
    let (answer, body_out) = send.ready().await?.send_request(Request::from_parts(head, ()), false)?;
    copy(body, body_out).await?;
    let (head, body) = answer.await?.into_parts();
    let ended = body.is_end_stream();
    let body_out = respond.send_response(http::Response::from_parts(head, ()), ended)?;
    if ended { Ok(()) } else { copy(body, body_out).await }
}

async fn copy(mut from: RecvStream, mut to: SendStream<Bytes>) -> Result<(), h2::Error> {
    while let Some(data) = from.data().await {
        let data = data?;
        from.flow_control().release_capacity(data.len())?;
        to.send_data(data, false)?;
    }
    match from.trailers().await? {
        Some(trailers) => to.send_trailers(trailers),
        None => to.send_data(Bytes::new(), true),
    }
}
