//! Recognizes the empty Txn with which a client asks a new connection for its cluster.

use bytes::Bytes;
use h2::RecvStream;

pub(super) const PATH: &str = "/etcdserverpb.KV/Txn";

/// The frame of an empty message.
const EMPTY: [u8; 5] = [0; 5];

/// The first payload of a request, and whether it is all of an empty message.
pub(super) async fn peek(body: &mut RecvStream) -> Result<(Bytes, bool), h2::Error> {
    let Some(read) = body.data().await.transpose()? else { return Ok((Bytes::new(), false)) };
    body.flow_control().release_capacity(read.len())?;
    let is_probe = read[..] == EMPTY && body.is_end_stream();
    Ok((read, is_probe))
}
