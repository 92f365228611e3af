//! SRV records: the order of their use, and the endpoints that they name.

use std::collections::HashSet;

/// The maximum number of endpoints taken from DNS. Clusters have three to seven members.
const MOST_ENDPOINTS: usize = 64;

/// One SRV record (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SrvRecord {
    pub(crate) priority: u16,
    pub(crate) weight: u16,
    pub(crate) port: u16,
    pub(crate) target: String,
}

/// Returns the names of etcd's SRV records below `domain`: with TLS and without (`GetSRVService` in etcd's
/// `client/pkg/srv`).
pub(crate) fn names(domain: &str, service_name: Option<&str>) -> (String, String) {
    let suffix = service_name.map_or(String::new(), |name| format!("-{name}"));
    (format!("_etcd-client-ssl{suffix}._tcp.{domain}"), format!("_etcd-client{suffix}._tcp.{domain}"))
}

/// Returns the endpoints that the records name, without duplicates. Those with TLS come first; each group is in the
/// order of RFC 2782.
///
/// A record whose target is the root means that the service is not available. `random` returns a number from 0 to its
/// argument, inclusive.
pub(crate) fn endpoints(
    with_tls: Vec<SrvRecord>,
    without: Vec<SrvRecord>,
    mut random: impl FnMut(u64) -> u64,
) -> Vec<String> {
    let with_tls = order(with_tls, &mut random).into_iter().map(|record| ("https", record));
    let without = order(without, &mut random).into_iter().map(|record| ("http", record));
    let mut seen = HashSet::new();
    with_tls
        .chain(without)
        .map(|(scheme, record)| {
            (scheme, record.target.trim_end_matches('.').to_ascii_lowercase(), record.port)
        })
        .filter(|(_, host, port)| !host.is_empty() && *port != 0)
        .filter(|(_, host, port)| seen.insert((host.clone(), *port)))
        .take(MOST_ENDPOINTS)
        .map(|(scheme, host, port)| format!("{scheme}://{host}:{port}"))
        .collect()
}

/// Orders records by ascending priority. Records of the same priority are in random order, weighted by their weights.
fn order(mut records: Vec<SrvRecord>, random: &mut impl FnMut(u64) -> u64) -> Vec<SrvRecord> {
    // Records with weight zero come first, as RFC 2782 requires: a random number of zero then gives them a
    // small chance.
    records.sort_by_key(|record| (record.priority, record.weight));
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(first) = records.first() {
        let priority = first.priority;
        let same = records.iter().take_while(|record| record.priority == priority);
        let total = same.clone().map(|record| u64::from(record.weight)).sum();
        let chosen = random(total);
        let mut sum = 0;
        let position = same.clone().position(|record| {
            sum += u64::from(record.weight);
            sum >= chosen
        });
        ordered.push(records.remove(position.unwrap_or(0)));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(priority: u16, weight: u16, target: &str, port: u16) -> SrvRecord {
        SrvRecord { priority, weight, port, target: target.to_owned() }
    }

    #[test]
    fn the_names_are_those_of_go() {
        let both = |name| names("example.com", name);
        assert_eq!(both(None).0, "_etcd-client-ssl._tcp.example.com");
        assert_eq!(both(None).1, "_etcd-client._tcp.example.com");
        assert_eq!(both(Some("x")).0, "_etcd-client-ssl-x._tcp.example.com");
        assert_eq!(both(Some("x")).1, "_etcd-client-x._tcp.example.com");
    }

    #[test]
    fn records_name_endpoints() {
        type Case = (&'static str, Vec<SrvRecord>, Vec<SrvRecord>, &'static [&'static str]);
        let table: [Case; 6] = [
            ("nothing", vec![], vec![], &[]),
            ("TLS only", vec![record(0, 0, "a.", 2379)], vec![], &["https://a:2379"]),
            ("plain only", vec![], vec![record(0, 0, "A.b", 1)], &["http://a.b:1"]),
            (
                "a member of both is used with TLS",
                vec![record(0, 0, "a.", 2379)],
                vec![record(0, 0, "a.", 2379), record(0, 0, "b.", 2379)],
                &["https://a:2379", "http://b:2379"],
            ),
            ("no such service, no port", vec![record(0, 0, ".", 2379), record(0, 0, "a.", 0)], vec![], &[]),
            (
                "twice",
                vec![record(0, 1, "a.", 1), record(9, 1, "a", 1), record(9, 1, "a", 2)],
                vec![],
                &["https://a:1", "https://a:2"],
            ),
        ];
        for (case, with_tls, without, expected) in table {
            assert_eq!(endpoints(with_tls, without, |_| 0), expected, "{case}");
        }
        let many = (1..=1000).map(|port| record(0, 0, "a", port)).collect();
        assert_eq!(endpoints(many, vec![], |_| 0).len(), MOST_ENDPOINTS);
    }

    #[test]
    fn priority_decides_before_weight_does() {
        let records =
            vec![record(2, 9, "c", 1), record(1, 1, "a", 1), record(1, 3, "b", 1), record(1, 0, "z", 1)];
        let order_of = |chance: fn(u64) -> u64| endpoints(records.clone(), vec![], chance);
        assert_eq!(order_of(|_| 0), ["https://z:1", "https://a:1", "https://b:1", "https://c:1"]);
        assert_eq!(order_of(|total| total), ["https://b:1", "https://a:1", "https://z:1", "https://c:1"]);
        assert_eq!(
            order_of(|total| total.min(1)),
            ["https://a:1", "https://b:1", "https://z:1", "https://c:1"]
        );
    }

    #[test]
    fn the_share_of_a_record_is_its_weight() {
        let records = vec![record(1, 10, "a", 1), record(1, 30, "b", 1), record(1, 60, "c", 1)];
        let mut first = std::collections::HashMap::<String, u32>::new();
        // Every random number once: the first draw has 101 of them.
        for chance in 0..=100 {
            let mut draws = [chance, 0, 0].into_iter();
            let ordered = endpoints(records.clone(), vec![], |_| draws.next().unwrap_or(0));
            assert_eq!(ordered.len(), 3);
            *first.entry(ordered[0].clone()).or_default() += 1;
        }
        assert_eq!((first["https://a:1"], first["https://b:1"], first["https://c:1"]), (11, 30, 60));
    }
}
