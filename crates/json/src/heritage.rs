//! Puts a span's own fields and its ancestors' together: ids first, inner values before outer ones.

use crate::fields::{Entry, Fields, ID_BYTES, IDS, Like, PARENT, SPAN, TRACE, free_encoded};
use crate::key::key_hash;
use crate::recycle::Recycled;
use crate::style::Clash;

/// What a span takes over from its ancestors.
pub(crate) struct Heritage<'a> {
    from: &'a Fields,
    /// The value of the nearest ancestor's `span_id`.
    parent_id: Option<&'a [u8]>,
    /// `from` is the span's own run of bytes: its own fields are not inherited.
    kept: bool,
}

impl<'a> Heritage<'a> {
    /// What a span inherits from `parent`.
    pub(crate) fn of(parent: &'a Fields) -> Self {
        let id = parent.find(SPAN.hash, SPAN.key);
        Heritage {
            from: parent,
            parent_id: id.map(|id| parent.value(id)),
            kept: false,
        }
    }

    /// What a span inherited already.
    pub(crate) fn kept(fields: &'a Fields) -> Self {
        let id = fields.find(PARENT.hash, PARENT.key);
        Heritage {
            from: fields,
            parent_id: id.map(|id| fields.value(id)),
            kept: true,
        }
    }
}

/// How far fields are inherited.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Bytes that a span's own fields take at most, and where no more are inherited.
    pub(crate) max: usize,
    pub(crate) clash: Clash,
    /// Only the trace id is inherited, and the parent's span id.
    pub(crate) ids_only: bool,
}

/// Ids and own fields are never left out here: the encoder has bounded them.
const ALL: usize = usize::MAX;

/// Ids, then the rest of `own`, then what is inherited.
///
/// `own` is left empty where nothing but its memory had to change hands.
pub(crate) fn assemble(
    own: &mut Recycled,
    heritage: Option<Heritage<'_>>,
    bounds: Bounds,
) -> Recycled {
    let mut all = Recycled::default();
    if heritage.is_none() && ids_stand_first(own) {
        std::mem::swap(own, &mut all);
        return all;
    }
    let inherited = heritage
        .as_ref()
        .map_or(0, |h| h.from.bytes.len() + ID_BYTES);
    all.bytes
        .reserve(own.bytes.len() + inherited.min(bounds.max));
    all.lost.merge(&own.lost);
    for id in IDS {
        if let Some(entry) = own.find(id.hash, id.key) {
            all.copy(own, entry, true, ALL);
        } else if let Some(heritage) = &heritage {
            inherit_id(&mut all, heritage, id.hash);
        }
    }
    all.copy_where(own, true, ALL, |entry| !own.is_id(entry));
    if let Some(heritage) = heritage.filter(|_| !bounds.ids_only) {
        all.lost.merge(&heritage.from.lost);
        inherit_rest(&mut all, own, &heritage, bounds);
    }
    all
}

/// In the order of `IDS`, those that there are.
fn ids_stand_first(own: &Fields) -> bool {
    let mut entries = own.entries.iter().peekable();
    IDS.iter().all(|id| {
        let is_next = |entry: &&Entry| entry.hash == id.hash && own.key(entry) == id.key;
        entries.next_if(is_next).is_some() || own.find(id.hash, id.key).is_none()
    })
}

fn inherit_id(all: &mut Fields, heritage: &Heritage<'_>, id: u32) {
    if id == TRACE.hash {
        if let Some(entry) = heritage.from.find(TRACE.hash, TRACE.key) {
            all.copy(heritage.from, entry, false, ALL);
        }
    } else if id == PARENT.hash {
        if let Some(value) = heritage.parent_id {
            all.push(
                PARENT.key,
                value,
                Like {
                    hash: id,
                    cut: false,
                    own: false,
                },
                ALL,
            );
        }
    }
}

fn inherit_rest(all: &mut Fields, own: &Fields, heritage: &Heritage<'_>, bounds: Bounds) {
    let from = heritage.from;
    let inherited = |entry: &Entry| !(from.is_id(entry) || (heritage.kept && entry.own));
    let hidden = |entry: &Entry| own.find(entry.hash, from.key(entry)).is_some();
    all.copy_where(from, false, bounds.max, |entry| {
        inherited(entry) && !hidden(entry)
    });
    if bounds.clash != Clash::Suffix {
        return;
    }
    for entry in from
        .entries
        .iter()
        .filter(|entry| inherited(entry) && hidden(entry))
    {
        let key = free_encoded(from.key(entry), |key| {
            let hash = key_hash(key);
            [&*all, own, from]
                .iter()
                .any(|fields| fields.find(hash, key).is_some())
        });
        all.copy_as(&key, from, entry, bounds.max);
    }
}
