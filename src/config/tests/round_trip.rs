//! Random valid configurations, printed and read again.

use core::fmt::Debug;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use prefix::{Net, Prefix};

use super::*;

fn text<T: Debug + FromStr<Err: Debug>>(pattern: &'static str) -> impl Strategy<Value = T> {
    pattern.prop_map(|text: String| text.parse().unwrap())
}

fn seconds(range: core::ops::RangeInclusive<u64>) -> impl Strategy<Value = Duration> {
    range.prop_map(Duration::from_secs)
}

fn path() -> impl Strategy<Value = PathBuf> {
    "(/[^/.\\pC][^/\\pC]{0,19}){1,4}/?".prop_map(PathBuf::from)
}

/// A list without repetitions.
fn list<T: PartialEq + Debug + Clone>(
    item: impl Strategy<Value = T>,
    count: core::ops::RangeInclusive<usize>,
) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(item, count).prop_map(|items| {
        let mut list = Vec::new();
        for item in items {
            if !list.contains(&item) {
                list.push(item);
            }
        }
        list
    })
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        (0x0100_0000u32..0xe000_0000).prop_map(|bits| Ipv4Addr::from_bits(bits).into()),
        any::<u128>().prop_map(|bits| Ipv6Addr::from_bits(bits >> 3 | 1 << 125).into()),
    ]
}

fn domain() -> impl Strategy<Value = DomainName> {
    text::<DomainName>("([a-z0-9_]{1,20}\\.){0,4}[a-z][a-z0-9-]{0,20}[a-z0-9]")
}

fn server() -> impl Strategy<Value = Server> {
    let name = domain;
    prop_oneof![
        address().prop_map(Server::Address),
        (address(), 1u16..).prop_map(|(addr, port)| Server::AddressPort((addr, port).into())),
        name().prop_map(Server::Name),
        (name(), 1u16..).prop_map(|(name, port)| Server::NamePort(name, port)),
    ]
}

fn prefixes() -> impl Strategy<Value = Prefix> {
    prop_oneof![
        (any::<u32>(), 4u8..=32).prop_map(|(a, len)| Net::masked(a, len).unwrap().into()),
        (any::<u128>(), 1u8..=128)
            .prop_map(|(a, len)| Net::masked(a | 1 << 127, len).unwrap().into()),
    ]
}

fn template() -> impl Strategy<Value = Template> {
    text("([^{}\\pC]{0,10}(\\{device_id\\}|\\{time\\})?){0,4}")
}

fn policy() -> impl Strategy<Value = Policy> {
    (
        list(server(), 1..=16),
        list(text("b[a-z0-9-]{0,10}x\\.threatstop\\.local"), 1..=64),
        list(text("a[a-z0-9-]{0,10}x\\.threatstop\\.local"), 0..=64),
        text("[a-z]{1,8}\\.[a-z]{1,8}"),
        seconds(60..=604_800),
        seconds(1..=600),
        any::<bool>(),
        prop::option::of(path()),
        prop::option::of(path()),
    )
        .prop_map(
            |(
                servers,
                block,
                allow,
                suffix,
                interval,
                timeout,
                serial,
                local_block,
                local_allow,
            )| Policy {
                servers,
                block,
                allow,
                suffix,
                interval,
                timeout,
                serial,
                local_block,
                local_allow,
            },
        )
}

/// More tables: a name, which lists go in by their place, and a direction.
fn table() -> impl Strategy<Value = (usize, Direction)> {
    (any::<usize>(), prop::sample::select(vec![Direction::In, Direction::Out, Direction::Both]))
}

fn tables() -> impl Strategy<Value = Tables> {
    (
        path(),
        text("B[A-Za-z0-9._:-]{0,30}"),
        text("A[A-Za-z0-9._:-]{0,30}"),
        prop::option::of(text("[a-z][A-Za-z0-9.:-]{0,20}(/[a-z0-9]{1,9}){0,3}")),
        any::<bool>(),
        prop::sample::select(vec![Backend::Pf, Backend::Simulated]),
        1u32..=20_000_000,
        seconds(1..=86_400),
        prop_oneof![Just((false, false)), Just((true, false)), Just((false, true))],
    )
        .prop_map(
            |(
                directory,
                block,
                allow,
                anchor,
                reload,
                backend,
                simulated_limit,
                check_interval,
                (monitor, kill_states),
            )| {
                Tables {
                    directory: Path::new("/tables").join(directory.strip_prefix("/").unwrap()),
                    block,
                    allow,
                    anchor,
                    reload,
                    backend,
                    simulated_limit,
                    check_interval,
                    monitor,
                    kill_states,
                }
            },
        )
}

fn guard() -> impl Strategy<Value = Guard> {
    let numbers = (
        1u8..=32,
        1u8..=128,
        1u32..=20_000_000,
        1u8..=100,
        1u32..=1 << 29,
        1u64..=1 << 32,
        1u8..=100,
        1u32..=100_000,
    );
    (
        list(prefixes(), 0..=20),
        any::<bool>(),
        numbers,
        list(address(), 0..=20),
        list(domain(), 0..=20),
    )
        .prop_map(|(never_block, block_private, numbers, mut expect, never_block_names)| {
            expect.retain(|addr| !never_block.iter().any(|prefix| prefix.contains(*addr)));
            let (
                min_prefix_v4,
                min_prefix_v6,
                max_entries,
                max_coverage,
                max_coverage_v6,
                allow_max_coverage,
                max_shrink,
                max_growth,
            ) = numbers;
            Guard {
                never_block,
                block_private,
                min_prefix_v4,
                min_prefix_v6,
                max_entries,
                max_coverage,
                max_coverage_v6,
                allow_max_coverage,
                max_shrink,
                max_growth,
                never_block_names,
                expect,
            }
        })
}

fn log() -> impl Strategy<Value = Log> {
    let first = (
        any::<bool>(),
        path(),
        prop::sample::select(vec![Scope::Tables, Scope::All]),
        prop::option::of(text("[a-z]{1,15}")),
        text(
            "https://([a-z]{1,9}\\.[a-z]{1,9}|192\\.0\\.2\\.1|\\[2001:db8::1\\])(:[1-9][0-9]{0,3})?(/[!-\"$-~]{0,20})?",
        ),
    );
    let second = (
        seconds(60..=86_400),
        prop::sample::select(vec![Timestamp::Time, Timestamp::Date, Timestamp::Epoch]),
        path(),
        ((1u64 << 20)..=(16 << 30)).prop_map(Size::new),
        seconds(86_400..=36_500 * 86_400),
    );
    let request = (
        prop::sample::select(vec![Method::Multipart, Method::Raw]),
        prop::option::of(text("[A-Za-z0-9._\\[\\]-]{1,64}")),
        text("[A-Za-z0-9._\\[\\]-]{1,64}"),
        template().prop_filter("not empty", |name| !name.as_str().trim().is_empty()),
        prop::collection::btree_map(text("[A-Za-z0-9._\\[\\]-]{1,64}"), template(), 0..10),
        any::<bool>(),
        text("[^{}\\pC]{0,10}[!-z]\\{device_id\\}"),
    )
        .prop_map(
            |(method, device_field, file_field, file_name, mut fields, gzip, success)| {
                fields.retain(|name, _| Some(name) != device_field.as_ref());
                Request { method, device_field, file_field, file_name, fields, gzip, success }
            },
        );
    (first, second, request).prop_map(|(first, second, request)| {
        let (enabled, file, scope, anchor, url) = first;
        let (interval, timestamp, spool, spool_size, spool_age) = second;
        let spool = Path::new("/spool").join(spool.strip_prefix("/").unwrap());
        Log {
            enabled,
            file,
            scope,
            anchor,
            url,
            interval,
            timestamp,
            spool,
            spool_size,
            spool_age,
            request,
        }
    })
}

fn https() -> impl Strategy<Value = Https> {
    let proxy = text(
        "http://([A-Za-z0-9._~!$&'()*+,;=-]{1,9}:([A-Za-z0-9:]|%[0-9A-F]{2}){0,9}@)?[a-z]{1,9}:[1-9][0-9]{0,3}",
    );
    let store = (20u64..=36).prop_map(|bits| Size::new(1 << bits));
    (prop::option::of(proxy), path(), store).prop_map(|(proxy, ca_file, store)| Https {
        proxy,
        ca_file,
        store,
    })
}

fn feed() -> impl Strategy<Value = Feed> {
    (
        text("[a-z0-9][a-z0-9_-]{0,30}"),
        text("https://[a-z]{1,9}(:[1-9][0-9]{0,3})?/[!-\"$-~]{0,20}"),
        prop::sample::select(vec![FeedKind::Block, FeedKind::Allow]),
        text("lines|csv:[1-9]|csv:[a-z_]{1,9}|jsonl?:(/([a-z*]|~[01]){0,9}){1,4}"),
        seconds(15 * 60..=30 * 86_400),
        1u32..=60_000,
        1u64..=1 << 32,
        prop::option::of(text("[!-~]{1,20}( [!-~]{1,20})?")),
        seconds(60..=365 * 86_400),
    )
        .prop_map(
            |(
                name,
                url,
                kind,
                format,
                interval,
                max_entries,
                max_coverage,
                authorization,
                stale,
            )| Feed {
                name,
                url,
                kind,
                format,
                interval,
                max_entries,
                max_coverage,
                authorization,
                stale,
            },
        )
}

/// Feeds whose names are no others'.
fn feeds() -> impl Strategy<Value = Vec<Feed>> {
    prop::collection::vec(feed(), 0..=5).prop_map(|feeds| {
        let mut unique: Vec<Feed> = Vec::new();
        for feed in feeds {
            let taken = ["policy", "own", "anchor", "unlisted", "local_block", "local_allow"];
            let is_new = unique.iter().all(|other| other.name != feed.name);
            if is_new && !taken.contains(&feed.name.as_str()) {
                unique.push(feed);
            }
        }
        unique
    })
}

fn config() -> impl Strategy<Value = Config> {
    (
        text::<DeviceId>("tdid_[A-Za-z0-9]{8,64}").prop_map(Some),
        text("[a-z_][a-z0-9._-]{0,30}"),
        (policy(), feeds()),
        (tables(), prop::collection::vec(table(), 0..=14)),
        guard(),
        log(),
        https(),
    )
        .prop_map(
            |(device_id, user, (policy, mut feed), (tables, more), mut guard, log, https)| {
                let lists: Vec<ListName> = policy
                    .block
                    .iter()
                    .skip(1)
                    .map(|list| list.as_str().parse().unwrap())
                    .collect();
                let table = more.into_iter().filter(|_| !lists.is_empty()).enumerate();
                let table = table.map(|(index, (first, direction))| Table {
                    name: format!("T{index}").parse().unwrap(),
                    lists: lists.iter().skip(first % lists.len()).cloned().collect(),
                    direction,
                });
                let table = table.collect();
                let of_service: Vec<_> = policy.block.iter().chain(&policy.allow).collect();
                feed.retain(|feed| {
                    of_service.iter().all(|list| list.as_str() != feed.name.as_str())
                        && feed.max_entries <= guard.max_entries / 2
                });
                let reserved: Vec<_> = prefix::reserved(guard.block_private).collect();
                let hosts = [log.url.host.address()].into_iter();
                let hosts: Vec<_> =
                    hosts.chain(policy.servers.iter().map(Server::address)).collect();
                guard.expect.retain(|addr| {
                    !reserved.iter().any(|(net, _)| net.contains(*addr))
                        && !hosts.contains(&Some(*addr))
                });
                Config { device_id, user, policy, feed, table, tables, guard, log, https }
            },
        )
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn what_is_printed_is_read_as_the_same(config in config()) {
        let text = config.to_toml();
        prop_assert_eq!(parse(&text).map_err(|error| format!("{error}\n{text}")), Ok(config));
    }
}

#[test]
fn every_key_is_printed() {
    let text = defaults().to_toml();
    let names = text.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    let once = keys().iter().filter(|key| !key.many);
    assert!(names.eq(once.map(|key| key.name)), "{text}");
    assert_eq!(parse(&text).unwrap(), defaults());
}
