//! Encoded fields in one run of bytes: found, added, copied.

use crate::cut::Cut;
use crate::encode::{Fate, Mark};
use crate::entries::Entries;
use crate::key::{IDS, key_hash};
use crate::plan::Plan;

/// Encoded fields, one after the other: `,"key":value,"key":value`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    pub(crate) bytes: Vec<u8>,
    pub(crate) entries: Entries,
    /// What had no room.
    pub(crate) lost: Cut,
}

/// Where a field stands in its run of bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Entry {
    start: u32,
    end: u32,
    /// Length of the encoded key, `,"key":`.
    key: u32,
    pub(crate) hash: u32,
    /// The value was cut.
    pub(crate) cut: bool,
    /// The span's own, not inherited.
    pub(crate) own: bool,
}

impl Entry {
    pub(crate) fn is_id(&self) -> bool {
        IDS.contains(&self.hash)
    }

    pub(crate) fn start(&self) -> usize {
        self.start as usize
    }
}

impl Fields {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
        self.lost.clear();
    }

    /// Makes entries of what an encoder wrote to `bytes`.
    pub(crate) fn index(&mut self, marks: &[Mark], plan: &Plan) {
        for (n, mark) in marks.iter().enumerate() {
            let slot = &plan.slots[mark.slot as usize];
            if mark.fate == Fate::Lost {
                self.lost.note(slot.key.as_slice());
                continue;
            }
            let end = marks
                .get(n + 1)
                .map_or(self.bytes.len() as u32, |next| next.start);
            self.entries.push(Entry {
                start: mark.start,
                end,
                key: slot.key.len() as u32,
                hash: slot.key.hash,
                cut: mark.fate == Fate::Cut,
                own: true,
            });
        }
    }

    pub(crate) fn key(&self, entry: &Entry) -> &[u8] {
        &self.bytes[entry.start as usize..(entry.start + entry.key) as usize]
    }

    pub(crate) fn value(&self, entry: &Entry) -> &[u8] {
        &self.bytes[(entry.start + entry.key) as usize..entry.end as usize]
    }

    pub(crate) fn find(&self, hash: u32, key: &[u8]) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| entry.hash == hash && self.key(entry) == key)
    }

    /// The field with an id's hash.
    pub(crate) fn find_id(&self, id: u32) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.hash == id)
    }

    /// Adds a field if it has room below `max` bytes.
    pub(crate) fn push(&mut self, key: &[u8], value: &[u8], like: Like, max: usize) {
        let start = self.bytes.len();
        let end = start + key.len() + value.len();
        if end > max {
            return self.lost.note(key);
        }
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        let Like { hash, cut, own } = like;
        let (start, end, key) = (start as u32, end as u32, key.len() as u32);
        self.entries.push(Entry {
            start,
            end,
            key,
            hash,
            cut,
            own,
        });
    }

    pub(crate) fn copy(&mut self, from: &Fields, entry: &Entry, own: bool, max: usize) {
        let like = Like {
            hash: entry.hash,
            cut: entry.cut,
            own,
        };
        self.push(from.key(entry), from.value(entry), like, max);
    }

    /// Copies the fields that `keep` names, whole runs at once.
    pub(crate) fn copy_where(
        &mut self,
        from: &Fields,
        own: bool,
        max: usize,
        keep: impl Fn(&Entry) -> bool,
    ) {
        let mut rest = &from.entries[..];
        while let Some(first) = rest.iter().position(&keep) {
            rest = &rest[first..];
            let run = rest
                .iter()
                .position(|entry| !keep(entry))
                .unwrap_or(rest.len());
            self.copy_run(from, &rest[..run], own, max);
            rest = &rest[run..];
        }
    }

    /// Copies neighbours.
    fn copy_run(&mut self, from: &Fields, run: &[Entry], own: bool, max: usize) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            return;
        };
        let bytes = &from.bytes[first.start as usize..last.end as usize];
        if self.bytes.len() + bytes.len() > max {
            return run
                .iter()
                .for_each(|entry| self.copy(from, entry, own, max));
        }
        let (old, new) = (first.start, self.bytes.len() as u32);
        self.bytes.extend_from_slice(bytes);
        self.entries.extend(run.iter().map(|&entry| Entry {
            start: entry.start - old + new,
            end: entry.end - old + new,
            own,
            ..entry
        }));
    }

    /// As [`Fields::copy`], under another key.
    pub(crate) fn copy_as(&mut self, key: &[u8], from: &Fields, entry: &Entry, max: usize) {
        let like = Like {
            hash: key_hash(key),
            cut: entry.cut,
            own: false,
        };
        self.push(key, from.value(entry), like, max);
    }
}

/// What is known of a field beside its bytes.
#[derive(Clone, Copy)]
pub(crate) struct Like {
    pub(crate) hash: u32,
    pub(crate) cut: bool,
    pub(crate) own: bool,
}

/// `,"key":` with as many `_` behind the name as it takes not to be `taken`.
pub(crate) fn free_encoded(key: &[u8], taken: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut key = key.to_vec();
    while taken(&key) {
        key.insert(key.len() - 2, b'_');
    }
    key
}
