//! Writes what an event inherits behind its own fields, as far as the line has room.

use crate::cut::Cut;
use crate::encode::Mark;
use crate::fields::{Entry, Fields, free_encoded};
use crate::heritage::Bounds;
use crate::key::{key_bit, key_hash};
use crate::plan::Plan;
use crate::style::Clash;

/// The end of a line that is being written.
pub(crate) struct Tail<'a> {
    pub(crate) line: &'a mut Vec<u8>,
    pub(crate) lost: &'a mut Cut,
    /// The line grows no longer than this.
    pub(crate) end: usize,
}

impl Tail<'_> {
    /// Adds what the event has not itself, without the first `ids` fields, which stand elsewhere.
    pub(crate) fn inherit(
        &mut self,
        ids: usize,
        fields: &Fields,
        event: &Given<'_>,
        bounds: &Bounds,
    ) {
        self.lost.merge(&fields.lost);
        let entries = &fields.entries[ids..];
        let special =
            |entry: &Entry| entry.cut || (event.may_have(entry) && event.has(fields, entry));
        let start = if ids == 0 {
            0
        } else {
            entries.first().map_or(0, Entry::start)
        };
        let bytes = if entries.is_empty() {
            &[]
        } else {
            &fields.bytes[start..]
        };
        if self.line.len() + bytes.len() <= self.end && !entries.iter().any(special) {
            return self.line.extend_from_slice(bytes);
        }
        let mut renamed: Vec<Vec<u8>> = Vec::new();
        for entry in entries {
            if !event.has(fields, entry) {
                self.add(fields.key(entry), fields.value(entry), entry.cut);
            } else if bounds.clash == Clash::Suffix && bounds.can_rename(fields, entry) {
                let key = free_encoded(fields.key(entry), |key| {
                    let hash = key_hash(key);
                    event.has_key(hash, key)
                        || fields.find(hash, key).is_some()
                        || renamed
                            .iter()
                            .chain(&bounds.taken)
                            .any(|other| other == key)
                });
                self.add(&key, fields.value(entry), entry.cut);
                renamed.push(key);
            }
        }
    }

    /// Adds only the ids before `last` that the event has not itself. Returns the number of the
    /// entries that are such ids.
    pub(crate) fn inherit_ids(&mut self, last: u32, fields: &Fields, event: &Given<'_>) -> usize {
        let ids = fields.entries.iter().take_while(|entry| entry.hash <= last);
        for entry in ids.clone() {
            if !event.has(fields, entry) {
                self.add(fields.key(entry), fields.value(entry), entry.cut);
            }
        }
        ids.count()
    }

    /// Adds an object of all but the ids; `pick` says which. `open` is `,"span":{"name":"x"`.
    pub(crate) fn object(
        &mut self,
        open: &[u8],
        fields: &Fields,
        pick: fn(&Entry) -> bool,
    ) -> bool {
        if self.line.len() + open.len() + 1 > self.end {
            return false;
        }
        self.line.extend_from_slice(open);
        self.end -= 1;
        for entry in fields
            .entries
            .iter()
            .filter(|entry| pick(entry) && !entry.is_id())
        {
            self.add(fields.key(entry), fields.value(entry), entry.cut);
        }
        self.end += 1;
        self.line.push(b'}');
        true
    }

    fn add(&mut self, key: &[u8], value: &[u8], cut: bool) {
        let fits = self.line.len() + key.len() + value.len() <= self.end;
        if fits {
            self.line.extend_from_slice(key);
            self.line.extend_from_slice(value);
        }
        if cut || !fits {
            self.lost.note(key);
        }
    }
}

/// The fields at the top of an event's line, as spans' fields are compared with them.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    pub(crate) marks: &'a [Mark],
    pub(crate) plan: &'a Plan,
    pub(crate) bits: u64,
}

impl Given<'_> {
    fn may_have(&self, entry: &Entry) -> bool {
        self.bits & key_bit(entry.hash) != 0
    }

    fn has(&self, fields: &Fields, entry: &Entry) -> bool {
        self.has_key(entry.hash, fields.key(entry))
    }

    fn has_key(&self, hash: u32, key: &[u8]) -> bool {
        let same = |mark: &&Mark| mark.hash == hash;
        self.marks.iter().filter(same).any(|mark| {
            let slot = &self.plan.slots[mark.slot as usize];
            slot.key.as_slice() == key
        })
    }
}
