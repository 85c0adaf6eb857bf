//! A kernel that answers as pfioctl() does, as far as our requests go.

use std::cell::RefCell;
use std::ffi::{c_int, c_ulong};

use prefix::{Kind, Prefix};

use super::*;
use crate::request::{By, request};

#[derive(Default)]
struct Fake {
    states: Vec<State>,
    /// States that come before each call.
    growth: usize,
    limit: u32,
    broken: Option<Errno>,
    /// Octets of room of each reading.
    rooms: Vec<usize>,
}

thread_local! {
    static FAKE: RefCell<Fake> = RefCell::default();
}

/// Stands for ioctl(2).
pub unsafe fn ioctl<T>(_fd: c_int, number: c_ulong, argument: *mut T) -> c_int {
    assert_eq!(number >> 16 & 0x1FFF, size_of::<T>() as c_ulong);
    // SAFETY: the caller's reference; the number says what it points to, as asserted above
    let done = FAKE.with_borrow_mut(|fake| unsafe { fake.ioctl(number, argument.cast()) });
    done.map_or_else(
        |errno| {
            Errno::set_raw(errno as c_int);
            -1
        },
        |()| 0,
    )
}

impl Fake {
    unsafe fn ioctl(&mut self, number: c_ulong, argument: *mut u8) -> nix::Result<()> {
        if let Some(errno) = self.broken {
            return Err(errno);
        }
        match number {
            number if number == DIOCGETLIMIT.0 => {
                // SAFETY: the type of the request
                let io = unsafe { &mut *argument.cast::<[u32; 2]>() };
                assert_eq!(io[0], PF_LIMIT_STATES);
                io[1] = self.limit;
            }
            number if number == DIOCGETSTATES.0 => {
                self.states.extend(vec![State::NONE; self.growth]);
                // SAFETY: the type of the request
                let io = unsafe { &mut *argument.cast::<PfiocStates>() };
                self.rooms.push(io.octets);
                if io.octets == 0 {
                    io.octets = self.states.len() * size_of::<State>();
                    return Ok(());
                }
                let fit = self.states.len().min(io.octets / size_of::<State>());
                let to = io.buffer.unwrap().cast::<State>().as_ptr();
                // SAFETY: the caller says that it has room for so many
                unsafe { to.copy_from(self.states.as_ptr(), fit) };
                io.octets = fit * size_of::<State>();
            }
            number if number == DIOCKILLSTATES.0 => {
                // SAFETY: the type of the request
                let io = unsafe { &mut *argument.cast::<PfiocStateKill>() };
                io.killed = 1;
            }
            _ => return Err(Errno::ENOTTY),
        }
        Ok(())
    }
}

fn kernel(states: usize, growth: usize) -> Kernel {
    let states = vec![State { id: [1; 8], ..State::NONE }; states];
    FAKE.set(Fake { states, growth, ..Fake::default() });
    Kernel { pf: File::open("/dev/null").unwrap(), limit: 0 }
}

#[test]
fn all_states_are_read() {
    for count in [0, 1, 63, 64, 5000] {
        let kernel = kernel(count, 0);
        assert_eq!(kernel.states().unwrap().len(), count);
    }
}

/// A room that is full is answered like one that was enough: it is asked again with twice the room.
#[test]
fn a_full_answer_is_asked_for_again_with_twice_the_room() {
    let kernel = kernel(10, 100);
    assert_eq!(kernel.states().unwrap().len(), 10 + 3 * 100);
    let size = size_of::<State>();
    let rooms = FAKE.with_borrow(|fake| fake.rooms.clone());
    assert_eq!(rooms, [0, (110 + 64) * size, 2 * (110 + 64) * size]);
}

#[test]
fn states_that_never_stop_to_come_are_given_up() {
    let kernel = kernel(10, 0);
    FAKE.with_borrow_mut(|fake| fake.growth = 1 << 10);
    // it grows by more than the room does at first, and less in the end
    assert!(kernel.states().is_ok());
    assert!(FAKE.with_borrow(|fake| fake.rooms.len()) <= 1 + TRIES as usize);
}

#[test]
fn errors_say_what_helps() {
    let kernel = kernel(1, 0);
    FAKE.with_borrow_mut(|fake| fake.broken = Some(Errno::EPERM));
    let mut one = request(&State::NONE, By::Number);
    assert_eq!(kernel.kill(&mut one), Err(Errno::EPERM));
    FAKE.with_borrow_mut(|fake| fake.broken = Some(ENOMEM));
    assert!(kernel.states().unwrap_err().to_string().contains("limit states"));
    FAKE.with_borrow_mut(|fake| fake.broken = Some(Errno::ENOTTY));
    let table = Table::new("", "T", Kind::Block).unwrap();
    let mut one = [PfrAddr::from(Prefix::host("192.0.2.1".parse().unwrap()))];
    assert_eq!(kernel.test(&table, &mut one), Err(Errno::ENOTTY));
}
