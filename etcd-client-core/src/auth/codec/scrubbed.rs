//! Messages that carry a password, which is wiped from memory when they are dropped.

use etcd_proto::etcdserverpb as pb;
use zeroize::Zeroize as _;

/// A message whose password is wiped when it is dropped, also when the call is cancelled.
#[derive(Debug)]
pub(crate) struct Scrubbed<M: HasPassword>(M);

impl<M: HasPassword> Scrubbed<M> {
    pub(crate) fn new(message: M) -> Self {
        Self(message)
    }

    pub(crate) fn message(&self) -> &M {
        &self.0
    }
}

impl<M: HasPassword> Drop for Scrubbed<M> {
    fn drop(&mut self) {
        self.0.password().zeroize();
    }
}

/// A message with a password.
pub(crate) trait HasPassword {
    fn password(&mut self) -> &mut String;
}

impl HasPassword for pb::AuthUserAddRequest {
    fn password(&mut self) -> &mut String {
        &mut self.password
    }
}

impl HasPassword for pb::AuthUserChangePasswordRequest {
    fn password(&mut self) -> &mut String {
        &mut self.password
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;

    struct Message(String, Rc<RefCell<String>>);

    impl HasPassword for Message {
        fn password(&mut self) -> &mut String {
            &mut self.0
        }
    }

    impl Drop for Message {
        fn drop(&mut self) {
            self.1.replace(std::mem::take(&mut self.0));
        }
    }

    #[test]
    fn password_is_wiped_on_drop() {
        let left = Rc::new(RefCell::new("nothing was dropped".to_owned()));
        drop(Scrubbed::new(Message("secret".to_owned(), Rc::clone(&left))));
        assert_eq!(*left.borrow(), "");
        assert!(left.borrow().capacity() >= "secret".len(), "wiped in place, not replaced");
    }
}
