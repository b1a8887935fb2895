//! The fields that events inherit from a span: encoded once, its ancestors' copied in.
//!
//! A span keeps its own fields and those of its ancestors as one run of bytes, so that an event
//! copies them at once. When an ancestor records a field, the tree's epoch moves on, and a
//! descendant's copy is made anew before it is used again.

use crate::cut::Cut;
use crate::encode::{Fate, Mark};
use crate::ids::span_id;
use crate::key::{key_bit, key_hash};
use crate::plan::Plan;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Encoded fields, one after the other: `,"key":value,"key":value`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    pub(crate) bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// What had no room.
    pub(crate) lost: Cut,
}

/// Where a field stands in its run of bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    start: u32,
    end: u32,
    /// Length of the encoded key, `,"key":`.
    key: u32,
    hash: u32,
    /// The value was cut.
    cut: bool,
    own: bool,
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
            self.entries.push(Entry {
                start: mark.start,
                end: marks
                    .get(n + 1)
                    .map_or(self.bytes.len() as u32, |next| next.start),
                key: slot.key.len() as u32,
                hash: slot.key.hash,
                cut: mark.fate == Fate::Cut,
                own: true,
            });
        }
    }

    /// Appends to an event's `line` what the event has not itself, until the line is `end` bytes
    /// long.
    pub(crate) fn inherit(
        &self,
        line: &mut Vec<u8>,
        lost: &mut Cut,
        event: &Given<'_>,
        end: usize,
    ) {
        lost.merge(&self.lost);
        let special =
            |entry: &Entry| entry.cut || (event.may_have(entry) && event.has(self, entry));
        if line.len() + self.bytes.len() <= end && !self.entries.iter().any(special) {
            return line.extend_from_slice(&self.bytes);
        }
        for entry in self.entries.iter().filter(|entry| !event.has(self, entry)) {
            let field = &self.bytes[entry.start as usize..entry.end as usize];
            let fits = line.len() + field.len() <= end;
            if fits {
                line.extend_from_slice(field);
            }
            if entry.cut || !fits {
                lost.note(self.key(entry));
            }
        }
    }

    fn key(&self, entry: &Entry) -> &[u8] {
        &self.bytes[entry.start as usize..(entry.start + entry.key) as usize]
    }

    fn value(&self, entry: &Entry) -> &[u8] {
        &self.bytes[(entry.start + entry.key) as usize..entry.end as usize]
    }

    fn find(&self, hash: u32, key: &[u8]) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| entry.hash == hash && self.key(entry) == key)
    }

    /// Adds a field that has room below `max` bytes.
    fn push(&mut self, hash: u32, key: &[u8], value: &[u8], cut: bool, own: bool, max: usize) {
        let start = self.bytes.len();
        let end = start + key.len() + value.len();
        if end > max {
            return self.lost.note(key);
        }
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
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

    fn copy(&mut self, from: &Fields, entry: &Entry, own: bool, max: usize) {
        self.push(
            entry.hash,
            from.key(entry),
            from.value(entry),
            entry.cut,
            own,
            max,
        );
    }
}

/// The fields of an event, as a span's fields are compared with them.
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
        self.marks.iter().any(|mark| {
            let slot = &self.plan.slots[mark.slot as usize];
            slot.key.hash == entry.hash && slot.key.as_slice() == fields.key(entry)
        })
    }
}

/// What one layer keeps in a span's extensions.
#[derive(Debug)]
pub(crate) struct Fragment {
    layer: u64,
    /// Own fields and inherited ones; ids first, so that a short line keeps them.
    pub(crate) fields: Fields,
    /// The span's own fields that had no room even here.
    own_lost: Cut,
    /// Moves on when a span of the tree that has children changes.
    tree: Arc<AtomicU32>,
    epoch: u32,
    copied: AtomicBool,
    max: usize,
    /// The same span as another layer sees it.
    next: Option<Box<Fragment>>,
}

impl Fragment {
    /// The span of `layer` with `own` fields, under `parent`, holding at most `max` bytes.
    pub(crate) fn new(layer: u64, own: &mut Fields, parent: Option<&Fragment>, max: usize) -> Self {
        if own.find(SPAN.hash, SPAN.key).is_none() {
            let id = span_id();
            let quoted: [u8; 18] = std::array::from_fn(|n| match n {
                0 | 17 => b'"',
                n => id[n - 1],
            });
            own.push(SPAN.hash, SPAN.key, &quoted, false, true, max);
        }
        if let Some(parent) = parent {
            parent.copied.store(true, Ordering::Release);
        }
        let mut own_lost = Cut::default();
        own_lost.merge(&own.lost);
        Fragment {
            layer,
            fields: assemble(own, parent.map(|parent| Heritage::of(&parent.fields)), max),
            own_lost,
            tree: parent.map_or_else(Arc::default, |parent| Arc::clone(&parent.tree)),
            epoch: parent.map_or(0, |parent| parent.epoch),
            copied: AtomicBool::new(false),
            max,
            next: None,
        }
    }

    /// False if an ancestor has changed since its fields were copied.
    pub(crate) fn is_fresh(&self) -> bool {
        self.epoch == self.epoch_now()
    }

    /// Puts recorded fields in the place of the old ones.
    pub(crate) fn record(&mut self, recorded: &Fields) {
        let mut own = Fields::default();
        for entry in self.fields.entries.iter().filter(|entry| entry.own) {
            match recorded.find(entry.hash, self.fields.key(entry)) {
                Some(new) => own.copy(recorded, new, true, self.max),
                None => own.copy(&self.fields, entry, true, self.max),
            }
        }
        for entry in &recorded.entries {
            if own.find(entry.hash, recorded.key(entry)).is_none() {
                own.copy(recorded, entry, true, self.max);
            }
        }
        own.lost.merge(&recorded.lost);
        self.own_lost.merge(&own.lost);
        // What was inherited is taken over from the copy that is here.
        self.fields = assemble(&own, Some(Heritage::kept(&self.fields)), self.max);
        if self.copied.load(Ordering::Acquire) {
            let before = self.tree.fetch_add(1, Ordering::AcqRel);
            // The span's own copy did not grow old by its own change.
            if self.epoch == before {
                self.epoch = before.wrapping_add(1);
            }
        }
    }

    /// Copies the ancestors' fields anew; `epoch` was read before `parent` was.
    pub(crate) fn refresh(&mut self, parent: Option<&Fields>, epoch: u32) {
        let mut own = Fields::default();
        for entry in self.fields.entries.iter().filter(|entry| entry.own) {
            own.copy(&self.fields, entry, true, self.max);
        }
        own.lost.merge(&self.own_lost);
        self.fields = assemble(&own, parent.map(Heritage::of), self.max);
        self.epoch = epoch;
    }

    pub(crate) fn epoch_now(&self) -> u32 {
        self.tree.load(Ordering::Acquire)
    }

    /// The fragment of `layer` in this list.
    pub(crate) fn of(&self, layer: u64) -> Option<&Fragment> {
        let mut fragment = self;
        while fragment.layer != layer {
            fragment = fragment.next.as_deref()?;
        }
        Some(fragment)
    }

    pub(crate) fn of_mut(&mut self, layer: u64) -> Option<&mut Fragment> {
        if self.layer == layer {
            return Some(self);
        }
        self.next.as_deref_mut()?.of_mut(layer)
    }

    /// Adds another layer's fragment to this list.
    pub(crate) fn add(&mut self, mut other: Fragment) {
        other.next = self.next.take();
        self.next = Some(Box::new(other));
    }
}

/// What a span takes over from its ancestors.
struct Heritage<'a> {
    from: &'a Fields,
    /// The value of the nearest ancestor's `span_id`.
    parent_id: Option<&'a [u8]>,
    /// `from` is the span's own run of bytes: its own fields are not inherited.
    kept: bool,
}

impl<'a> Heritage<'a> {
    fn of(parent: &'a Fields) -> Self {
        let id = parent.find(SPAN.hash, SPAN.key);
        Heritage {
            from: parent,
            parent_id: id.map(|id| parent.value(id)),
            kept: false,
        }
    }

    fn kept(fields: &'a Fields) -> Self {
        let id = fields.find(PARENT.hash, PARENT.key);
        Heritage {
            from: fields,
            parent_id: id.map(|id| fields.value(id)),
            kept: true,
        }
    }
}

/// Ids, then the rest of `own`, then what is inherited and has another key.
fn assemble(own: &Fields, heritage: Option<Heritage<'_>>, max: usize) -> Fields {
    let inherited = heritage
        .as_ref()
        .map_or(0, |h| h.from.bytes.len() + 3 * ID_BYTES);
    let count = heritage.as_ref().map_or(0, |h| h.from.entries.len() + 1);
    let mut all = Fields {
        bytes: Vec::with_capacity((own.bytes.len() + inherited).min(max)),
        entries: Vec::with_capacity(own.entries.len() + count),
        lost: Cut::default(),
    };
    all.lost.merge(&own.lost);
    for id in [&TRACE, &SPAN, &PARENT] {
        if let Some(entry) = own.find(id.hash, id.key) {
            all.copy(own, entry, true, max);
        } else if let Some(h) = &heritage {
            match (
                id.hash == PARENT.hash,
                h.parent_id,
                h.from.find(id.hash, id.key),
            ) {
                (true, Some(value), _) => all.push(id.hash, id.key, value, false, false, max),
                (false, _, Some(entry)) => all.copy(h.from, entry, false, max),
                _ => {}
            }
        }
    }
    for entry in own.entries.iter().filter(|entry| !own.is_id(entry)) {
        all.copy(own, entry, true, max);
    }
    if let Some(h) = &heritage {
        all.lost.merge(&h.from.lost);
        for entry in &h.from.entries {
            let skipped = h.from.is_id(entry) || (h.kept && entry.own);
            if !skipped && own.find(entry.hash, h.from.key(entry)).is_none() {
                all.copy(h.from, entry, false, max);
            }
        }
    }
    all
}

impl Fields {
    fn is_id(&self, entry: &Entry) -> bool {
        [&TRACE, &SPAN, &PARENT]
            .iter()
            .any(|id| id.hash == entry.hash && id.key == self.key(entry))
    }
}

/// An id's encoded key.
struct Id {
    key: &'static [u8],
    hash: u32,
}

const TRACE: Id = Id::new(b",\"trace_id\":");
const SPAN: Id = Id::new(b",\"span_id\":");
const PARENT: Id = Id::new(b",\"parent_span_id\":");

/// Bytes of the longest id field as the dictionary has them: a trace id of 32 digits.
pub(crate) const ID_BYTES: usize = 47;

impl Id {
    const fn new(key: &'static [u8]) -> Self {
        Id {
            key,
            hash: key_hash(key),
        }
    }
}
