//! Changes of users.

use super::{Auth, ROOT, User};
use crate::rejection::{
    INVALID_AUTH_MGMT, ROLE_NOT_FOUND, ROLE_NOT_GRANTED, Rejection, USER_ALREADY_EXIST, USER_EMPTY,
    USER_NOT_FOUND,
};

impl Auth {
    /// Adds a user. A user without a password can only be authenticated by a certificate.
    pub(crate) fn user_add(
        &mut self,
        name: &str,
        password: &str,
        no_password: bool,
    ) -> Result<(), Rejection> {
        if name.is_empty() {
            return Err(USER_EMPTY);
        }
        if self.users.contains_key(name) {
            return Err(USER_ALREADY_EXIST);
        }
        let password = (!no_password).then(|| password.to_owned());
        self.users.insert(name.to_owned(), User { password, no_password, ..User::default() });
        self.changed();
        Ok(())
    }

    pub(crate) fn user_delete(&mut self, name: &str) -> Result<(), Rejection> {
        if self.enabled && name == ROOT {
            return Err(INVALID_AUTH_MGMT);
        }
        self.users.remove(name).ok_or(USER_NOT_FOUND)?;
        self.changed();
        self.tokens.invalidate_user(name);
        Ok(())
    }

    /// Changes a password, which ends the tokens of the user. An empty password fits no authentication afterwards.
    pub(crate) fn user_change_password(&mut self, name: &str, password: &str) -> Result<(), Rejection> {
        let user = self.users.get_mut(name).ok_or(USER_NOT_FOUND)?;
        if !user.no_password {
            user.password = (!password.is_empty()).then(|| password.to_owned());
        }
        self.changed();
        self.tokens.invalidate_user(name);
        Ok(())
    }

    /// Grants a role. Granting it twice changes nothing.
    pub(crate) fn user_grant_role(&mut self, name: &str, role: &str) -> Result<(), Rejection> {
        let user = self.users.get_mut(name).ok_or(USER_NOT_FOUND)?;
        if role != ROOT && !self.roles.contains_key(role) {
            return Err(ROLE_NOT_FOUND);
        }
        if user.roles.insert(role.to_owned()) {
            self.changed();
        }
        Ok(())
    }

    pub(crate) fn user_revoke_role(&mut self, name: &str, role: &str) -> Result<(), Rejection> {
        if self.enabled && name == ROOT && role == ROOT {
            return Err(INVALID_AUTH_MGMT);
        }
        let user = self.users.get_mut(name).ok_or(USER_NOT_FOUND)?;
        if !user.roles.remove(role) {
            return Err(ROLE_NOT_GRANTED);
        }
        self.changed();
        Ok(())
    }

    /// Returns the roles of a user, in order.
    pub(crate) fn user_roles(&self, name: &str) -> Result<Vec<String>, Rejection> {
        let user = self.users.get(name).ok_or(USER_NOT_FOUND)?;
        Ok(user.roles.iter().cloned().collect())
    }

    /// Returns the names of all users, in order.
    pub(crate) fn user_names(&self) -> Vec<String> {
        self.users.keys().cloned().collect()
    }
}
