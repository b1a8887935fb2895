//! Which rules a callsite's events may match: decided once, then looked up.

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tracing_core::Metadata;

/// What one set of rules knows about callsites.
#[derive(Debug)]
pub(crate) struct Callsites {
    id: usize,
    known: RwLock<HashMap<usize, Arc<[usize]>, BuildHasherDefault<AsItIs>>>,
}

impl Callsites {
    pub(crate) fn new() -> Self {
        Self {
            id: next_id(),
            known: RwLock::default(),
        }
    }

    /// The set's number.
    pub(crate) fn id(&self) -> usize {
        self.id
    }

    /// The rules that may match, if the callsite is known.
    pub(crate) fn rules(&self, metadata: &'static Metadata<'static>) -> Option<Arc<[usize]>> {
        let address = address(metadata);
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let rules = known.get(&address)?.clone();
        if rules.is_empty() {
            let _ = IDLE.try_with(|idle| idle[place(address)].set((self.id, address)));
        }
        Some(rules)
    }

    pub(crate) fn learn(&self, metadata: &'static Metadata<'static>, rules: Arc<[usize]>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(address(metadata), rules);
    }
}

/// A number that no other set and no other layer of the process has. Counted, not an address:
/// another may come to stand there.
pub(crate) fn next_id() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Whether this thread remembers that no rule of a set can match: all that most events cost.
#[inline]
pub(crate) fn is_idle(set: usize, metadata: &'static Metadata<'static>) -> bool {
    let address = address(metadata);
    let seen = IDLE.try_with(|idle| idle[place(address)].get());
    seen.is_ok_and(|seen| seen == (set, address))
}

fn address(metadata: &'static Metadata<'static>) -> usize {
    std::ptr::from_ref(metadata).addr()
}

fn place(address: usize) -> usize {
    // The lowest bits of an address are all alike.
    (address >> 4) % PLACES
}

/// 4 KiB for each thread: callsites that share a place take turns.
const PLACES: usize = 256;

thread_local! {
    /// The set and the address of the callsite that was last found idle.
    static IDLE: [Cell<(usize, usize)>; PLACES] = const { [const { Cell::new((0, 0)) }; PLACES] };
}

/// Addresses are spread well enough with one multiplication.
#[derive(Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 << 8) | u64::from(byte);
        }
    }

    fn write_usize(&mut self, address: usize) {
        self.0 = (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
