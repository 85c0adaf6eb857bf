use super::*;

const LARGE: u64 = 1 << 30;

fn slice(sequence: u64, text: &[u8]) -> Slice {
    Slice::new(sequence, (1000, 2000), 1, text.to_vec(), Position::default())
}

fn open(directory: &Path, limit: u64) -> Spool {
    let (spool, damaged) = Spool::open(directory, limit).unwrap();
    assert!(damaged.is_empty(), "{damaged:?}");
    spool
}

/// Adds a slice where nothing has to fall out for it.
fn push(spool: &mut Spool, slice: &Slice) {
    let mut fallen = Vec::new();
    spool.push(slice, &mut fallen).unwrap();
    assert_eq!(fallen, []);
}

fn ids(spool: &Spool) -> Vec<String> {
    spool.slices().map(|stored| stored.head.id.clone()).collect()
}

#[test]
fn an_id_says_place_time_and_content() {
    let id = |sequence, text: &[u8]| slice(sequence, text).head.id;
    // printf 'a line\n' | sha256 | cut -c 1-16
    assert_eq!(id(3, b"a line\n"), "0000000003-0000001000-0000002000-786e184927ec9dda");
    assert_eq!(id(3, b"a line\n"), id(3, b"a line\n"));
    assert_ne!(id(3, b"a line\n"), id(3, b"b line\n"));
    assert!(id(9, b"x") < id(10, b"x"));
}

#[test]
fn slices_come_back_in_order_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path(), LARGE);
    let slices = [slice(9, b"nine\n"), slice(10, b"ten\n"), slice(11, b"eleven\n")];
    for slice in &slices {
        push(&mut spool, slice);
    }
    let spool = open(dir.path(), LARGE);
    for (stored, slice) in spool.slices().zip(&slices) {
        assert_eq!(spool.read(stored).as_ref(), Ok(slice));
    }
    assert_eq!(spool.newest().map(|stored| &stored.head), Some(&slices[2].head));
    let on_disk: u64 =
        fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).sum();
    assert_eq!(spool.octets(), on_disk);
}

#[test]
fn the_oldest_falls_out_of_a_full_spool() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path(), 1 << 20);
    let text = vec![b'x'; spool.slice_limit() - 4096];
    assert!(text.len() > 200 << 10, "a quarter of the spool");
    let mut fallen = Vec::new();
    for sequence in 0..10 {
        spool.push(&slice(sequence, &text), &mut fallen).unwrap();
        assert!(spool.octets() <= 1 << 20);
    }
    assert_eq!(fallen.len() + spool.slices().len(), 10);
    let sequences: Vec<u64> = fallen.iter().map(|stored| stored.head.sequence).collect();
    assert_eq!(sequences, (0..6).collect::<Vec<_>>());
    assert_eq!(ids(&spool), ids(&open(dir.path(), 1 << 20)));
}

/// A service that is away for two months, with a slice every half hour: the spool is bounded by its
/// size and by the age of what is in it, what falls out is the oldest and told, and the rest is there
/// in order, also after a restart.
#[test]
fn what_is_too_old_falls_out() {
    const DAY: u64 = 24 * 60 * 60;
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path(), LARGE);
    let (mut fallen, mut sequence, begun) = (Vec::new(), 0, 1_700_000_000);
    for now in (begun..begun + 60 * DAY).step_by(12 * 60 * 60) {
        let times = (now as u32 - 1800, now as u32);
        let text = format!("{now}\n").into_bytes();
        push(&mut spool, &Slice::new(sequence, times, 1, text, Position::default()));
        sequence += 1;
        spool.expire(now - 35 * DAY, &mut fallen).unwrap();
        let all: Vec<u64> = spool.slices().map(|stored| stored.head.sequence).collect();
        let first = fallen.len() as u64;
        assert_eq!(all, (first..sequence).collect::<Vec<_>>(), "in order, and none is missing");
        assert!(spool.slices().all(|stored| u64::from(stored.head.last) >= now - 35 * DAY));
    }
    // twice a day, the 71 of the last 35 days with both ends
    assert_eq!((fallen.len(), spool.slices().len()), (120 - 71, 71));
    assert_eq!(ids(&spool), ids(&open(dir.path(), LARGE)));
    spool.expire(0, &mut fallen).unwrap();
    assert_eq!(fallen.len(), 120 - 71);
}

/// A crash leaves a temporary file, or the file whole; nothing in between.
#[test]
fn what_a_crash_leaves_is_cleared_away() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path(), LARGE);
    let kept = slice(1, b"whole\n");
    push(&mut spool, &kept);
    let whole = fs::read(dir.path().join(format!("slice.{}", kept.head.id))).unwrap();
    for length in 0..=whole.len() {
        let half = dir.path().join(".slice.x.tmp");
        fs::write(&half, &whole[..length]).unwrap();
        assert_eq!(ids(&open(dir.path(), LARGE)), std::slice::from_ref(&kept.head.id));
        assert!(!half.exists());
    }
}

#[test]
fn damaged_slices_are_counted_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path(), LARGE);
    let good = slice(1, b"text of a slice\n");
    push(&mut spool, &good);
    let file = dir.path().join(format!("slice.{}", good.head.id));
    let whole = fs::read(&file).unwrap();
    for length in [0, 1, whole.len() - 17, whole.len() - 1] {
        fs::write(&file, &whole[..length]).unwrap();
        let (spool, damaged) = Spool::open(dir.path(), LARGE).unwrap();
        assert_eq!((spool.slices().len(), damaged.len()), (0, 1), "{length} octets");
        assert!(!file.exists());
    }
    // of the right length, but another text: noticed before it is sent
    let mut other = whole;
    *other.last_mut().unwrap() = b'?';
    fs::write(&file, &other).unwrap();
    let spool = open(dir.path(), LARGE);
    match spool.read(spool.newest().unwrap()) {
        Err(Unread::Lost(why)) => assert!(why.ends_with(": damaged"), "{why}"),
        other => panic!("{other:?}"),
    }
}

/// Puts a link to itself in the place of a slice: it is there, and open(2) fails. What it gives puts the
/// slice back.
pub fn out_of_reach(directory: &Path, id: &str) -> impl Fn() + use<> {
    let [file, aside] = [PREFIX, "aside."].map(|word| directory.join(format!("{word}{id}")));
    fs::rename(&file, &aside).unwrap();
    std::os::unix::fs::symlink(&file, &file).unwrap();
    move || fs::rename(&aside, &file).unwrap()
}

/// Fails when slices that nobody could open at a start are removed, lose their place or the room that they
/// take, or do not come back; or when a slice that comes gets the number of one.
#[test]
fn a_slice_that_cannot_be_opened_waits() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path(), LARGE);
    let slices = [slice(9, b"nine\n"), slice(10, b"ten\n"), slice(11, b"eleven\n")];
    slices.iter().for_each(|slice| push(&mut spool, slice));
    let before = ids(&spool);
    for (at, id) in before.iter().enumerate() {
        let back = out_of_reach(dir.path(), id);
        let spool = open(dir.path(), LARGE);
        assert_eq!(ids(&spool), before);
        assert_eq!(spool.newest().unwrap().head.sequence, 11);
        let stored = spool.slices().nth(at).unwrap();
        assert!((1..5000).contains(&stored.size) && !stored.is_before(2000), "{stored:?}");
        match spool.read(stored) {
            Err(Unread::There(why)) => assert!(why.contains("symbolic link"), "{why}"),
            other => panic!("{other:?}"),
        }
        back();
        assert_eq!(spool.read(stored).as_ref(), Ok(&slices[at]));
    }
}

#[test]
fn a_slice_that_cannot_be_written_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path(), LARGE);
    push(&mut spool, &slice(1, b"one\n"));
    let next = slice(2, b"two\n");
    // in the way of the temporary file
    let obstacle = dir.path().join(format!(".slice.{}.tmp", next.head.id));
    fs::create_dir(&obstacle).unwrap();
    let why = spool.push(&next, &mut Vec::new()).unwrap_err();
    assert!(why.contains(&next.head.id), "{why}");
    assert_eq!(spool.slices().len(), 1);
    fs::remove_dir(&obstacle).unwrap();
    push(&mut spool, &next);
    assert_eq!(spool.slices().len(), 2);
    spool.remove(&next.head.id).unwrap();
    spool.remove(&next.head.id).unwrap();
    assert_eq!(spool.slices().len(), 1);
}

/// Records of one line and of several, the others of which begin as tcpdump breaks its texts.
const RECORDS: [&[u8]; 6] = [
    b"one\n",
    b"two\n\tmore\n\tyet more\n",
    b"one\n",
    b"3\n\t\n",
    b"geneve\n    inside\n",
    b"BGP \n[|BGP\n",
];

#[test]
fn a_slice_is_cut_between_records() {
    for count in 1..=RECORDS.len() {
        let mut parts = vec![slice(7, &RECORDS[..count].concat())];
        parts[0].head.records = count as u64;
        let mut whole = Vec::new();
        while let Some(part) = parts.pop() {
            match part.halves() {
                Some([front, back]) => {
                    assert_eq!(front.head.records + back.head.records, part.head.records);
                    assert_eq!([&*front.text, &*back.text].concat(), part.text);
                    parts.extend([back, front]);
                }
                None => whole.push(part),
            }
        }
        assert!(whole.iter().map(|part| &*part.text).eq(RECORDS[..count].iter().copied()));
        assert!(whole.iter().all(|part| part.head.records == 1));
        assert!(whole.is_sorted_by_key(|part| part.head.part.clone()), "in order");
        let ids: BTreeSet<_> = whole.iter().map(|part| part.head.id.clone()).collect();
        assert_eq!(ids.len(), count, "even of records that are alike");
    }
}

/// A crash at each step: the whole or both halves, never one of them, never all three.
#[test]
fn a_crash_in_the_middle_of_halving_loses_and_repeats_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path(), LARGE);
    let mut slices = [slice(1, b"before\n"), slice(2, &RECORDS.concat()), slice(3, b"behind\n")];
    slices[1].head.records = RECORDS.len() as u64;
    for slice in &slices {
        push(&mut spool, slice);
    }
    let file = |id: &str| dir.path().join(format!("slice.{id}"));
    let before = ids(&spool);
    let whole = fs::read(file(&before[1])).unwrap();
    assert_eq!(spool.split(&slices[1]), Ok(true));
    let after = ids(&spool);
    assert_eq!((after.len(), &after[0], &after[3]), (4, &before[0], &before[2]));
    assert_eq!(ids(&open(dir.path(), LARGE)), after, "the same order after a restart");
    let halves = [1, 2].map(|half| (file(&after[half]), fs::read(file(&after[half])).unwrap()));
    for written in 0..=2 {
        halves.iter().for_each(|(path, _)| drop(fs::remove_file(path)));
        fs::write(file(&before[1]), &whole).unwrap();
        for (path, octets) in &halves[..written] {
            fs::write(path, octets).unwrap();
        }
        let spool = open(dir.path(), LARGE);
        assert_eq!(ids(&spool), before, "{written} halves written");
        assert!(halves.iter().all(|(path, _)| !path.exists()));
    }
    let mut spool = open(dir.path(), LARGE);
    assert_eq!(spool.split(&slices[1]), Ok(true));
    let texts: Vec<_> = spool.slices().map(|stored| spool.read(stored).unwrap().text).collect();
    let text = [&slices[0].text[..], &RECORDS.concat(), &slices[2].text].concat();
    assert_eq!(texts.concat(), text);
    assert_eq!(spool.split(&slices[0]), Ok(false), "a single record");
}

/// Half of a slice cannot be written: the whole stays.
#[test]
fn what_cannot_be_halved_stays_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path(), LARGE);
    let whole = slice(1, &RECORDS.concat());
    push(&mut spool, &whole);
    let [_, back] = whole.halves().unwrap();
    let obstacle = dir.path().join(format!(".slice.{}.tmp", back.head.id));
    fs::create_dir(&obstacle).unwrap();
    assert!(spool.split(&whole).is_err());
    fs::remove_dir(&obstacle).unwrap();
    assert_eq!(ids(&spool), [&*whole.head.id]);
    // delivered all the same, as by another server: no half of it comes back
    spool.remove(&whole.head.id).unwrap();
    assert_eq!(ids(&open(dir.path(), LARGE)), [""; 0]);
}

/// The halves are written, but the whole cannot be removed: it stays, and they do not.
#[test]
fn what_cannot_be_removed_is_not_halved() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path(), LARGE);
    let whole = slice(1, &RECORDS.concat());
    push(&mut spool, &whole);
    let file = dir.path().join(format!("slice.{}", whole.head.id));
    // unlink(2) refuses a directory
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(spool.split(&whole).is_err());
    assert_eq!(ids(&spool), [&*whole.head.id]);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "a half is left");
}
