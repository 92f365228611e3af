//! The arguments of `Txn::when`, `then` and `or_else`: one item, an array, a `Vec`, an `Option` or a tuple of them.

use crate::{
    kv::{Delete, Get, Put},
    txn::{Compare, Op, Txn},
};

/// A type whose operations can be appended to a branch of a Txn.
///
/// A [`Get`], [`Put`], [`Delete`], [`Txn`] or [`Op`] is one, and so is an array, a `Vec`, an `Option` or a tuple of
/// up to twelve such types.
///
/// # Examples
/// ```
/// use etcd_client_core::{Delete, Get, Put, Txn};
///
/// let txn = Txn::new().then((Put::new("a", "1"), Delete::new("b"))).then(vec![Get::new("c")]);
/// assert_eq!(txn.success().len(), 3);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an operation or a collection of operations",
    note = "a bound operation (`client.put(..)`) cannot be part of a Txn: use `Put::new(..)`"
)]
pub trait IntoOps {
    /// Appends the operations, in order.
    fn append_to(self, ops: &mut Vec<Op>);
}

/// A type whose conditions can be added to a Txn.
///
/// A [`Compare`] is one, and so is an array, a `Vec`, an `Option` or a tuple of up to twelve such types.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a Compare or a collection of Compares")]
pub trait IntoCompares {
    /// Appends the conditions, in order.
    fn append_to(self, compares: &mut Vec<Compare>);
}

macro_rules! one {
    ($trait:ident<$item:ty>: $($one:ty),+) => {
        $(impl $trait for $one {
            fn append_to(self, items: &mut Vec<$item>) {
                items.push(self.into());
            }
        })+
    };
}

macro_rules! tuple {
    ($trait:ident<$item:ty>: $($part:ident)+) => {
        impl<$($part: $trait),+> $trait for ($($part,)+) {
            #[allow(non_snake_case, reason = "the type parameters name the parts too")]
            fn append_to(self, items: &mut Vec<$item>) {
                let ($($part,)+) = self;
                $($part.append_to(items);)+
            }
        }
    };
}

macro_rules! many {
    ($trait:ident<$item:ty>) => {
        impl<T: $trait> $trait for Vec<T> {
            fn append_to(self, items: &mut Vec<$item>) {
                items.reserve(self.len());
                for item in self {
                    item.append_to(items);
                }
            }
        }

        impl<T: $trait, const N: usize> $trait for [T; N] {
            fn append_to(self, items: &mut Vec<$item>) {
                items.reserve(N);
                for item in self {
                    item.append_to(items);
                }
            }
        }

        impl<T: $trait> $trait for Option<T> {
            fn append_to(self, items: &mut Vec<$item>) {
                if let Some(item) = self {
                    item.append_to(items);
                }
            }
        }

        tuple!($trait<$item>: A);
        tuple!($trait<$item>: A B);
        tuple!($trait<$item>: A B C);
        tuple!($trait<$item>: A B C D);
        tuple!($trait<$item>: A B C D E);
        tuple!($trait<$item>: A B C D E F);
        tuple!($trait<$item>: A B C D E F G);
        tuple!($trait<$item>: A B C D E F G H);
        tuple!($trait<$item>: A B C D E F G H I);
        tuple!($trait<$item>: A B C D E F G H I J);
        tuple!($trait<$item>: A B C D E F G H I J K);
        tuple!($trait<$item>: A B C D E F G H I J K L);
    };
}

one!(IntoOps<Op>: Op, Get, Put, Delete, Txn);
many!(IntoOps<Op>);
one!(IntoCompares<Compare>: Compare);
many!(IntoCompares<Compare>);
