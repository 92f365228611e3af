//! The order in which the addresses of a host name are tried.

use std::net::SocketAddr;

/// Returns the addresses without duplicates, alternating between address families. The family of the resolver's first
/// address comes first (RFC 8305, section 4).
pub(crate) fn interleave(resolved: impl IntoIterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut seen: Vec<SocketAddr> = Vec::new();
    for address in resolved {
        if !seen.contains(&address) {
            seen.push(address);
        }
    }
    let Some(first) = seen.first().copied() else { return seen };
    let (preferred, other): (Vec<_>, Vec<_>) =
        seen.into_iter().partition(|address| address.is_ipv6() == first.is_ipv6());
    let mut ordered = Vec::with_capacity(preferred.len() + other.len());
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    loop {
        match (preferred.next(), other.next()) {
            (None, None) => return ordered,
            (a, b) => ordered.extend(a.into_iter().chain(b)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().expect("a literal address")).collect()
    }

    #[test]
    fn families_alternate_from_the_resolvers_first() {
        let resolved = addresses(&["[::1]:1", "[::2]:1", "[::1]:1", "1.1.1.1:1", "2.2.2.2:1", "3.3.3.3:1"]);
        let expected = addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "3.3.3.3:1"]);
        assert_eq!(interleave(resolved), expected);
    }

    #[test]
    fn nothing_stays_nothing() {
        assert!(interleave([]).is_empty());
    }
}
