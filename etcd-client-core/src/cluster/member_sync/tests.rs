//! Tests of the changes to the endpoints after honest and hostile member lists.

use super::*;

fn endpoints(texts: &[&str]) -> Vec<Endpoint> {
    texts.iter().map(|text| text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))).collect()
}

fn voter(name: &str, urls: &[&str]) -> ListedMember {
    let client_urls = urls.iter().map(|&url| url.to_owned()).collect();
    ListedMember { id: 1, name: name.to_owned(), client_urls, is_learner: false }
}

fn learner(urls: &[&str]) -> ListedMember {
    ListedMember { is_learner: true, ..voter("learner", urls) }
}

/// Returns the endpoints to keep, probe and drop as text, and the number of ignored URLs.
fn planned(
    seeds: &[&str],
    adopted: &[&str],
    members: &[ListedMember],
) -> Result<[Vec<String>; 3], NothingUsable> {
    let (seeds, adopted) = (endpoints(seeds), endpoints(adopted));
    let tls = seeds.iter().any(|seed| seed.security() == Security::Tls);
    let plan = plan(&seeds, &adopted, members, Rules::of(&seeds, tls))?;
    let texts = |found: Vec<Endpoint>| found.iter().map(ToString::to_string).collect();
    Ok([plan.keep, plan.probe, plan.drop].map(texts))
}

#[test]
fn plan_keeps_probes_and_drops() {
    const A: &str = "http://a:2379";
    const B: &str = "http://b:2379";
    const C: &str = "http://c:2379";
    const D: &str = "http://d:2379";
    let none: &[&str] = &[];
    type Case<'a> = (&'a str, &'a [&'a str], &'a [&'a str], Vec<ListedMember>, [&'a [&'a str]; 3]);
    let table: Vec<Case<'_>> = vec![
        ("nothing new", &[A], &[], vec![voter("a", &[A])], [none, none, none]),
        ("one new", &[A], &[], vec![voter("a", &[A]), voter("b", &[B])], [none, &[B], none]),
        ("known already", &[A], &[B], vec![voter("a", &[A]), voter("b", &[B])], [&[B], none, none]),
        ("one gone", &[A], &[B, C], vec![voter("a", &[A]), voter("c", &[C])], [&[C], none, &[B]]),
        ("replaced", &[A], &[B], vec![voter("c", &[C]), voter("d", &[D])], [none, &[C, D], &[B]]),
        ("a seed that is not listed stays out of it", &[A], &[], vec![voter("b", &[B])], [none, &[B], none]),
        ("several URLs", &[A], &[B], vec![voter("a", &[A, C]), voter("b", &[D])], [none, &[C, D], &[B]]),
        ("a learner", &[A], &[], vec![voter("a", &[A]), learner(&[B])], [none, none, none]),
        ("a learner that was adopted", &[A], &[B], vec![voter("a", &[A]), learner(&[B])], [none, none, &[B]]),
        (
            "unstarted",
            &[A],
            &[],
            vec![voter("a", &[A]), voter("", &[B]), voter("c", &[])],
            [none, none, none],
        ),
        ("listed twice", &[A], &[], vec![voter("a", &[A, B]), voter("b", &[B, B])], [none, &[B], none]),
        (
            "the same address in other words",
            &["a:2379", "http://a"],
            &["http://b"],
            vec![voter("a", &["http://a:2379/"]), voter("b", &["http://b:2379"])],
            [&["http://b"], none, none],
        ),
    ];
    for (case, seeds, adopted, members, expected) in table {
        let found =
            planned(seeds, adopted, &members).unwrap_or_else(|rejected| panic!("{case}: {rejected:?}"));
        assert_eq!(
            found,
            expected.map(|texts| texts.iter().map(ToString::to_string).collect::<Vec<_>>()),
            "{case}"
        );
    }
}

#[test]
fn list_without_usable_endpoints_is_rejected() {
    let lists: [(&str, Vec<ListedMember>); 8] = [
        ("empty", vec![]),
        ("learners only", vec![learner(&["http://b:2379"])]),
        ("unstarted only", vec![voter("", &["http://b:2379"])]),
        ("no URLs", vec![voter("b", &[])]),
        ("unreadable", vec![voter("b", &["", "b", "http://", "http://b:0", "ftp://b:2379"])]),
        (
            "everywhere",
            vec![voter("b", &["http://0.0.0.0:2379", "http://[::]:2379", "http://[::ffff:0.0.0.0]:1"])],
        ),
        ("the reader itself", vec![voter("b", &["http://127.0.0.1:2379", "http://localhost:2379"])]),
        ("a socket here", vec![voter("b", &["unix:///run/docker.sock"])]),
    ];
    for (case, members) in lists {
        let rejected = planned(&["http://a:2379"], &["http://b:2379"], &members).expect_err(case);
        assert_eq!(rejected.members, members.len(), "{case}");
    }
}

#[test]
fn discovered_endpoints_are_as_secure_as_the_seeds() {
    let members =
        [voter("b", &["http://b:2379", "https://c:2379", "unix:///run/etcd.sock", "unixs:///run/tls.sock"])];
    let table: [(&[&str], bool, &[&str]); 7] = [
        (&["http://a:2379"], false, &["http://b:2379"]),
        (&["a:2379"], false, &["http://b:2379"]),
        (&["a:2379"], true, &["https://c:2379"]),
        (&["https://a:2379"], true, &["https://c:2379"]),
        (&["https://a:2379", "http://d:2379"], true, &["http://b:2379", "https://c:2379"]),
        (&["unix:///run/a.sock"], false, &["http://b:2379", "unix:///run/etcd.sock"]),
        (&["unixs:///run/a.sock"], true, &["https://c:2379", "unixs:///run/tls.sock"]),
    ];
    for (seeds, tls, expected) in table {
        let seeds = endpoints(seeds);
        let plan = plan(&seeds, &[], &members, Rules::of(&seeds, tls)).expect("something is usable");
        let probe: Vec<_> = plan.probe.iter().map(Endpoint::as_str).collect();
        assert_eq!(probe, expected, "{seeds:?}, TLS: {tls}");
        assert_eq!(plan.ignored, 4 - expected.len(), "{seeds:?}, TLS: {tls}");
    }
}

#[test]
fn loopback_is_taken_where_a_seed_is_there_too() {
    let members = [voter("b", &["http://127.0.0.1:22379"])];
    for seed in
        ["http://127.0.0.1:2379", "http://localhost:2379", "http://[::1]:2379", "unix:///run/etcd.sock"]
    {
        let [_, probe, _] = planned(&[seed], &[], &members).expect("usable");
        assert_eq!(probe, ["http://127.0.0.1:22379"], "{seed}");
    }
}

#[test]
fn hostile_urls_are_passed_over() {
    let long = format!("http://{}:2379", "a".repeat(300));
    let hostile = [
        &*long,
        "http://user:password@b:2379",
        "http://b:2379\r\nHost: c",
        "http://b\0:2379",
        "http://b:2379,http://c:2379",
        "http://b c:2379",
        "http://b?x=1",
        "http://b:99999",
        "//b:2379",
        "javascript:alert(1)",
        "http://\u{202e}b:2379",
    ];
    let members = [voter("b", &hostile), voter("c", &["http://c:2379"])];
    let seeds = endpoints(&["http://a:2379"]);
    let plan = plan(&seeds, &[], &members, Rules::of(&seeds, false)).expect("one is usable");
    assert_eq!((plan.probe, plan.ignored), (endpoints(&["http://c:2379"]), hostile.len()));
}

#[test]
fn a_list_of_thousands_stays_bounded() {
    let urls: Vec<_> =
        (0..100_000).map(|i| format!("http://10.{}.{}.{}:2379", i >> 16, (i >> 8) & 255, i & 255)).collect();
    let members = [ListedMember { id: 1, name: "b".into(), client_urls: urls, is_learner: false }];
    let seeds = endpoints(&["http://a:2379"]);
    let plan = plan(&seeds, &[], &members, Rules::of(&seeds, false)).expect("some are usable");
    assert_eq!((plan.probe.len(), plan.ignored), (MOST_DISCOVERED, 100_000 - MOST_DISCOVERED));
}
