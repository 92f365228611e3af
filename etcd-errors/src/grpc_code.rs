//! The status codes of gRPC, without any gRPC library.

use std::fmt;

macro_rules! grpc_codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        /// A gRPC status code. `code as i32` is its number on the wire.
        #[non_exhaustive]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(i32)]
        pub enum GrpcCode {
            $($(#[$doc])* $name = $number,)*
        }

        impl GrpcCode {
            /// The code with this number. A number gRPC does not define counts as [`Unknown`](Self::Unknown), as
            /// gRPC demands of its clients.
            pub const fn from_i32(number: i32) -> Self {
                match number {
                    $($number => Self::$name,)*
                    _ => Self::Unknown,
                }
            }

            /// The name of the variant, such as `InvalidArgument`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// The code with this name as Go prints it in `rpc error: code = NAME desc = ..`.
            pub(crate) fn from_go_name(name: &str) -> Self {
                match name {
                    $(stringify!($name) => Self::$name,)*
                    // The only two that Go spells in another way.
                    "OK" => Self::Ok,
                    "Canceled" => Self::Cancelled,
                    _ => Self::Unknown,
                }
            }
        }
    };
}

grpc_codes! {
    /// The call succeeded.
    Ok = 0,
    /// The call was cancelled, mostly by its caller.
    Cancelled = 1,
    /// The server gave no better code, or the code is unknown here.
    Unknown = 2,
    /// The request is wrong whatever the state of the server.
    InvalidArgument = 3,
    /// The deadline passed before the call ended.
    DeadlineExceeded = 4,
    /// What was asked for does not exist.
    NotFound = 5,
    /// What was to be created exists already.
    AlreadyExists = 6,
    /// The caller is known, but not allowed to do this.
    PermissionDenied = 7,
    /// A quota, a rate or a size limit was hit.
    ResourceExhausted = 8,
    /// The server is not in the state that the call needs.
    FailedPrecondition = 9,
    /// The call was aborted by a conflict.
    Aborted = 10,
    /// A value, such as a revision, lies outside of the valid range.
    OutOfRange = 11,
    /// The server does not have this method.
    Unimplemented = 12,
    /// An invariant of the server or of the transport broke.
    Internal = 13,
    /// The server cannot be reached or cannot serve at the moment.
    Unavailable = 14,
    /// Data was lost or is corrupt.
    DataLoss = 15,
    /// The caller's credentials are missing or not valid.
    Unauthenticated = 16,
}

impl fmt::Display for GrpcCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::GrpcCode;

    #[test]
    fn numbers_and_names_round_trip() {
        for number in 0..=16 {
            let code = GrpcCode::from_i32(number);
            assert_eq!(code as i32, number);
            assert_eq!(code.name(), format!("{code:?}"));
            assert_eq!(GrpcCode::from_go_name(code.name()), code);
        }
    }

    #[test]
    fn a_number_or_name_that_grpc_does_not_define_is_unknown() {
        for number in [-1, 17, i32::MAX, i32::MIN] {
            assert_eq!(GrpcCode::from_i32(number), GrpcCode::Unknown);
        }
        assert_eq!(GrpcCode::from_go_name("Code(17)"), GrpcCode::Unknown);
    }

    #[test]
    fn go_spells_two_codes_differently() {
        assert_eq!(GrpcCode::from_go_name("OK"), GrpcCode::Ok);
        assert_eq!(GrpcCode::from_go_name("Canceled"), GrpcCode::Cancelled);
    }
}
