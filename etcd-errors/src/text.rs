//! Display of texts that come from servers and other libraries.

use std::fmt;

/// Prints a text on one line. A text from a server may contain line breaks and terminal escapes, which become spaces.
pub(crate) struct OneLine<'a>(pub(crate) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, piece) in self.0.split(char::is_control).enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            f.write_str(piece)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::OneLine;

    #[test]
    fn control_characters_become_spaces() {
        assert_eq!(OneLine("a\nb\u{1b}[31mc\u{7f}é").to_string(), "a b [31mc é");
        assert_eq!(OneLine("").to_string(), "");
    }
}
