//! What a layer keeps with a span: the fields that events inherit, encoded once.
//!
//! A span keeps its own fields and those of its ancestors as one run of bytes, so that an event
//! copies them at once. When an ancestor records a field, the tree's epoch moves on, and a
//! descendant's copy is made anew before it is used again.

use crate::busy::Busy;
use crate::cut::Cut;
use crate::fields::{Fields, Like};
use crate::form::write_name;
use crate::heritage::{Bounds, Heritage, assemble};
use crate::ids::span_id;
use crate::key::{SPAN, key_hash};
use crate::recycle::Recycled;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

/// What one layer keeps in a span's extensions.
#[derive(Debug)]
pub(crate) struct Fragment {
    layer: u64,
    /// Own fields and inherited ones; ids first, so that a short line keeps them.
    pub(crate) fields: Recycled,
    /// The span's own fields that had no room even here.
    own_lost: Option<Box<Cut>>,
    /// Moves on when a span of the tree that has children changes. A span without any needs none.
    tree: OnceLock<Arc<AtomicU32>>,
    epoch: u32,
    /// A descendant has copied these fields.
    copied: AtomicBool,
    /// Kept only for a closing line.
    pub(crate) busy: Option<Busy>,
    /// The same span as another layer sees it.
    next: Option<Box<Fragment>>,
}

impl Fragment {
    /// The span of `layer` with `own` fields, under `parent`.
    pub(crate) fn new(
        layer: u64,
        own: &mut Recycled,
        parent: Option<&Fragment>,
        bounds: &Bounds,
    ) -> Self {
        if bounds.ids.made && own.find_id(SPAN).is_none() {
            let id = span_id();
            let quoted: [u8; 18] = std::array::from_fn(|n| match n {
                0 | 17 => b'"',
                n => id[n - 1],
            });
            let like = Like {
                hash: SPAN,
                cut: false,
                own: true,
            };
            own.push(&bounds.ids.span, &quoted, like, usize::MAX);
        }
        if let Some(parent) = parent {
            parent.copied.store(true, Ordering::Release);
        }
        let own_lost = (!own.lost.is_empty()).then(|| Box::new(own.lost.clone()));
        Fragment {
            layer,
            fields: assemble(
                own,
                parent.map(|parent| Heritage::of(&parent.fields)),
                bounds,
            ),
            own_lost,
            tree: parent.map_or_else(OnceLock::new, |parent| {
                OnceLock::from(Arc::clone(parent.tree.get_or_init(Arc::default)))
            }),
            epoch: parent.map_or(0, |parent| parent.epoch),
            copied: AtomicBool::new(false),
            busy: None,
            next: None,
        }
    }

    /// False if an ancestor has changed since its fields were copied.
    pub(crate) fn is_fresh(&self) -> bool {
        self.epoch == self.epoch_now()
    }

    pub(crate) fn epoch_now(&self) -> u32 {
        let tree = self.tree.get();
        tree.map_or(0, |tree| tree.load(Ordering::Acquire))
    }

    /// Puts recorded fields in the place of the old ones. `own` is an empty place to work in.
    pub(crate) fn record(&mut self, recorded: &Fields, own: &mut Recycled, bounds: &Bounds) {
        if recorded.entries.is_empty() && recorded.lost.is_empty() {
            return;
        }
        // Beside the fields there is the span's id, and perhaps its name.
        let max = bounds.max + BESIDE;
        for entry in self.fields.entries.iter().filter(|entry| entry.own) {
            match recorded.find(entry.hash, self.fields.key(entry)) {
                Some(new) => own.copy(recorded, new, true, max),
                None => own.copy(&self.fields, entry, true, max),
            }
        }
        for entry in recorded.entries.iter() {
            if own.find(entry.hash, recorded.key(entry)).is_none() {
                own.copy(recorded, entry, true, max);
            }
        }
        own.lost.merge(&recorded.lost);
        if !own.lost.is_empty() {
            self.own_lost.get_or_insert_default().merge(&own.lost);
        }
        // What was inherited is taken over from the copy that is here.
        self.fields = assemble(own, Some(Heritage::kept(&self.fields)), bounds);
        if self.copied.load(Ordering::Acquire) {
            let tree = self.tree.get_or_init(Arc::default);
            let before = tree.fetch_add(1, Ordering::AcqRel);
            // The span's own copy did not grow old by its own change.
            if self.epoch == before {
                self.epoch = before.wrapping_add(1);
            }
        }
    }

    /// Copies the ancestors' fields anew; `epoch` was read before `parent` was.
    pub(crate) fn refresh(&mut self, parent: Option<&Fields>, epoch: u32, bounds: &Bounds) {
        let mut own = Recycled::default();
        own.copy_where(&self.fields, true, usize::MAX, |entry| entry.own);
        if let Some(lost) = &self.own_lost {
            own.lost.merge(lost);
        }
        self.fields = assemble(&mut own, parent.map(Heritage::of), bounds);
        self.epoch = epoch;
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

    /// Puts this fragment, which is new, before those of other layers.
    pub(crate) fn precede(&mut self, others: Fragment) {
        self.next = Some(Box::new(others));
    }
}

/// Adds a span's name as a field of its own, which its descendants' names hide.
pub(crate) fn push_name(own: &mut Fields, key: &[u8], name: &str) {
    let mut value = vec![b'"'];
    write_name(&mut value, name);
    value.push(b'"');
    let like = Like {
        hash: key_hash(key),
        cut: false,
        own: true,
    };
    own.push(key, &value, like, usize::MAX);
}

/// Room for a made span id and for a span's name.
const BESIDE: usize = 512;
