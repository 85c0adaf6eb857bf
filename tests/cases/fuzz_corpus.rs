//! The fuzz targets without a fuzzer.
//!
//! 1. Make octets as honest servers, engines, pf and administrators write them, and give them to
//!    the targets, which accept them.
//! 2. Give them octets that go one step too far, which they refuse.
//! 3. Give each target all files of its corpus, and variations of them for some time.
//!
//! A target panics when the program does, or when it does something else than a naive reading says.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tests::prng::Prng;

/// Variations of one file at most, and how long a target may take over all of its files.
const ROUNDS: u64 = 2000;
const TIME: Duration = Duration::from_millis(500);
/// No input becomes longer than this.
const LONGEST: usize = 16 << 10;

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// The octets of all files of a target, in the order of their names.
fn files(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = corpus(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    let mut found: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect();
    found.sort_unstable();
    found
}

/// Says which octets it was, should the target panic.
struct Witness<'a> {
    target: &'a str,
    origin: &'a str,
    octets: &'a [u8],
}

impl Drop for Witness<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { target, origin, octets } = self;
            eprintln!("target {target}, from {origin}: \"{}\"", octets.escape_ascii());
        }
    }
}

fn call(name: &str, target: fuzz::Target, origin: &str, octets: &[u8]) -> bool {
    let _witness = Witness { target: name, origin, octets };
    target(octets)
}

#[test]
fn honest_octets_are_accepted() {
    let seeds = crate::fuzz_seeds::all();
    for (name, target) in fuzz::TARGETS {
        let mut count = 0;
        for (index, (_, octets)) in seeds.iter().filter(|(of, _)| *of == name).enumerate() {
            if let Some(folder) = std::env::var_os("FUZZ_SEEDS") {
                let folder = Path::new(&folder).join(name).join("found");
                fs::create_dir_all(&folder).unwrap();
                fs::write(folder.join(format!("seed-{index}")), octets).unwrap();
            }
            assert!(call(name, target, &format!("seed {index}"), octets), "{name}: seed {index}");
            count += 1;
        }
        assert!(count > 0, "{name}: no seed");
    }
}

#[test]
fn octets_one_step_too_far_are_refused() {
    for (index, (name, octets)) in crate::fuzz_seeds::refused().iter().enumerate() {
        let target = fuzz::target(name).unwrap();
        assert!(!call(name, target, &format!("refused {index}"), octets), "{name}: {index}");
    }
}

#[test]
fn the_corpus_and_variations_of_it() {
    for (name, target) in fuzz::TARGETS {
        let files = files(name);
        assert!(files.len() > 2, "{name}: {} files", files.len());
        let accepted = files.iter().filter(|(path, octets)| call(name, target, path, octets));
        assert!(accepted.count() > 0, "{name}: no file of the corpus is accepted");
        let started = Instant::now();
        for round in 0..ROUNDS {
            for (path, octets) in &files {
                if started.elapsed() > TIME {
                    break;
                }
                let other = &files[round as usize % files.len()].1;
                let octets = vary(octets, other, round);
                call(name, target, &format!("{path}, round {round}"), &octets);
            }
        }
    }
}

/// Octets with some damage, the same in each run.
fn vary(octets: &[u8], other: &[u8], round: u64) -> Vec<u8> {
    let mut prng = Prng::new(round << 16 ^ octets.len() as u64);
    let mut out = octets.to_vec();
    for _ in 0..=prng.below(4) {
        let at = prng.below(out.len() + 1);
        let end = at + prng.below(out.len() - at + 1);
        match prng.below(8) {
            0 => out.truncate(at),
            1 => drop(out.drain(at..end)),
            2 => out.insert(at, prng.next_u64() as u8),
            3 => drop(out.splice(at..at, out[at..end].to_vec())),
            4 => {
                let from = prng.below(other.len() + 1);
                drop(out.splice(at..end, other[from..].iter().copied()));
            }
            5 => {
                let edges = [0, 1, 0x7f, 0x80, 0xff, b'\n', b'"', b'/'];
                out[at..].iter_mut().take(1 + prng.below(4)).for_each(|octet| {
                    *octet = edges[prng.below(edges.len())];
                });
            }
            _ => {
                let octet = out.get_mut(at);
                octet.into_iter().for_each(|octet| *octet ^= 1 << prng.below(8));
            }
        }
        out.truncate(LONGEST);
    }
    out
}
