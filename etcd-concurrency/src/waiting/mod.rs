//! Waiting for one's turn: the decisions in [`machine`], what is read and watched for them in [`drive`].

pub(crate) mod drive;
pub(crate) mod machine;

pub(crate) use drive::{Rivals, wait};
