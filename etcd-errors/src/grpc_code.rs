//! The status codes of gRPC, without a dependency on a gRPC library.

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
            /// Returns the code with this number. Numbers that gRPC does not define are [`Unknown`](Self::Unknown), as
            /// gRPC requires of clients.
            pub const fn from_i32(number: i32) -> Self {
                match number {
                    $($number => Self::$name,)*
                    _ => Self::Unknown,
                }
            }

            /// Returns the name of the variant, such as `InvalidArgument`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// Returns the code with the name that Go prints in `rpc error: code = NAME desc = ..`.
            pub(crate) fn from_go_name(name: &str) -> Self {
                match name {
                    $(stringify!($name) => Self::$name,)*
                    // Go spells only these two differently.
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
    /// The call was cancelled, usually by its caller.
    Cancelled = 1,
    /// The server had no better code, or its code is not known to this crate.
    Unknown = 2,
    /// The request is invalid, regardless of the state of the server.
    InvalidArgument = 3,
    /// The deadline passed before the call ended.
    DeadlineExceeded = 4,
    /// The requested entity does not exist.
    NotFound = 5,
    /// The entity to create already exists.
    AlreadyExists = 6,
    /// The caller is authenticated, but lacks the permission.
    PermissionDenied = 7,
    /// A quota, a rate limit or a size limit was exceeded.
    ResourceExhausted = 8,
    /// The server is not in the state that the call requires.
    FailedPrecondition = 9,
    /// The call was aborted by a conflict.
    Aborted = 10,
    /// A value, such as a revision, is outside of the valid range.
    OutOfRange = 11,
    /// The server does not have this method.
    Unimplemented = 12,
    /// An invariant of the server or of the transport was violated.
    Internal = 13,
    /// The server cannot be reached, or cannot serve the call at the moment.
    Unavailable = 14,
    /// Data was lost or is corrupted.
    DataLoss = 15,
    /// The credentials of the caller are missing or invalid.
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
    fn undefined_number_or_name_is_unknown() {
        for number in [-1, 17, i32::MAX, i32::MIN] {
            assert_eq!(GrpcCode::from_i32(number), GrpcCode::Unknown);
        }
        assert_eq!(GrpcCode::from_go_name("Code(17)"), GrpcCode::Unknown);
    }

    #[test]
    fn names_of_go_are_recognised() {
        assert_eq!(GrpcCode::from_go_name("OK"), GrpcCode::Ok);
        assert_eq!(GrpcCode::from_go_name("Canceled"), GrpcCode::Cancelled);
    }
}
