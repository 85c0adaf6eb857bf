//! Decoding of a big list: 212 messages with 845,023 items, nearly all of them /32 and /24.

use apl::{decode, encode};
use criterion::{Criterion, criterion_group, criterion_main};
use prefix::{Items, Net, Prefix};

const MESSAGES: usize = 212;
const ITEMS: usize = 845_023;

/// RDATA of all the messages, from a multiplicative sequence so that no address repeats.
fn messages() -> Vec<Vec<u8>> {
    let mut rdatas = vec![Vec::new(); MESSAGES];
    for number in 0..ITEMS {
        let addr = (number as u32).wrapping_mul(2_654_435_761);
        let len = if number % 3 == 0 { 24 } else { 32 };
        if let Some(net) = Net::masked(addr, len) {
            encode(Prefix::V4(net), false, &mut rdatas[number % MESSAGES]);
        }
    }
    rdatas
}

fn bench(c: &mut Criterion) {
    let messages = messages();
    c.bench_function("decode 845023 items of 212 messages", |b| {
        b.iter(|| {
            let mut items = Items::default();
            for rdata in &messages {
                let _ = decode(rdata, &mut items);
            }
            assert_eq!(items.len(), ITEMS);
            items
        });
    });
}

criterion_group!(benches, bench);
criterion_main!(benches);
