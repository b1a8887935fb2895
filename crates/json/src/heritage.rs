//! Puts a span's own fields and its ancestors' together: ids first, inner values before outer ones.

use crate::fields::{Entry, Fields, Like, free_encoded};
use crate::key::{IDS, PARENT, SPAN, TRACE, key_hash};
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
        let id = parent.find_id(SPAN);
        Heritage {
            from: parent,
            parent_id: id.map(|id| parent.value(id)),
            kept: false,
        }
    }

    /// What a span inherited already.
    pub(crate) fn kept(fields: &'a Fields) -> Self {
        let id = fields.find_id(PARENT);
        Heritage {
            from: fields,
            parent_id: id.map(|id| fields.value(id)),
            kept: true,
        }
    }
}

/// How far fields are inherited, the same for all spans of a layer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bounds {
    /// Bytes that a span's own fields take at most, and where no more are inherited.
    pub(crate) max: usize,
    pub(crate) clash: Clash,
    /// Only the trace id is inherited, and the parent's span id.
    pub(crate) ids_only: bool,
    pub(crate) ids: IdKeys,
    /// Encoded keys that end with `_` and that no suffixed key may be.
    pub(crate) taken: Vec<Vec<u8>>,
    /// The encoded key of an error whose causes have a key of their own: it gets no suffix.
    pub(crate) flat_error: Option<Box<[u8]>>,
}

impl Bounds {
    /// False for a field that can have no other key: where it would be hidden, it is.
    pub(crate) fn can_rename(&self, fields: &Fields, entry: &Entry) -> bool {
        !entry.is_id() && self.flat_error.as_deref() != Some(fields.key(entry))
    }
}

/// The encoded keys of the ids that a layer makes.
#[derive(Clone, Debug, Default)]
pub(crate) struct IdKeys {
    pub(crate) span: Box<[u8]>,
    pub(crate) parent: Box<[u8]>,
    /// False if ids are fields like others, and none is made.
    pub(crate) made: bool,
}

/// The hash of an id by its name in the dictionary.
pub(crate) fn ids(field: &str) -> Option<u32> {
    match field {
        "trace_id" => Some(TRACE),
        "span_id" => Some(SPAN),
        "parent_span_id" => Some(PARENT),
        _ => None,
    }
}

/// Bytes of a span's id, quoted.
const ID_VALUE: usize = 18;

/// Ids and own fields are never left out here: the encoder has bounded them.
const ALL: usize = usize::MAX;

/// Ids, then the rest of `own`, then what is inherited.
///
/// `own` is left empty where nothing but its memory had to change hands.
pub(crate) fn assemble(
    own: &mut Recycled,
    heritage: Option<Heritage<'_>>,
    bounds: &Bounds,
) -> Recycled {
    let mut all = Recycled::default();
    if heritage.is_none() && ids_stand_first(own) {
        std::mem::swap(own, &mut all);
        return all;
    }
    let inherited = heritage.as_ref().map_or(0, |h| {
        h.from.bytes.len() + bounds.ids.parent.len() + ID_VALUE
    });
    all.bytes
        .reserve(own.bytes.len() + inherited.min(bounds.max));
    all.lost.merge(&own.lost);
    for id in IDS {
        if let Some(entry) = own.find_id(id) {
            all.copy(own, entry, true, ALL);
        } else if let Some(heritage) = heritage.as_ref().filter(|_| bounds.ids.made) {
            inherit_id(&mut all, heritage, id, &bounds.ids.parent);
        }
    }
    all.copy_where(own, true, ALL, |entry| !entry.is_id());
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
        let is_next = |entry: &&Entry| entry.hash == *id;
        entries.next_if(is_next).is_some() || own.find_id(*id).is_none()
    })
}

fn inherit_id(all: &mut Fields, heritage: &Heritage<'_>, id: u32, parent: &[u8]) {
    if id == TRACE {
        if let Some(entry) = heritage.from.find_id(TRACE) {
            all.copy(heritage.from, entry, false, ALL);
        }
    } else if id == PARENT {
        if let Some(value) = heritage.parent_id {
            let like = Like {
                hash: id,
                cut: false,
                own: false,
            };
            all.push(parent, value, like, ALL);
        }
    }
}

fn inherit_rest(all: &mut Fields, own: &Fields, heritage: &Heritage<'_>, bounds: &Bounds) {
    let from = heritage.from;
    let inherited = |entry: &Entry| !(entry.is_id() || (heritage.kept && entry.own));
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
        .filter(|entry| inherited(entry) && hidden(entry) && bounds.can_rename(from, entry))
    {
        let key = free_encoded(from.key(entry), |key| {
            let hash = key_hash(key);
            bounds.taken.iter().any(|taken| taken == key)
                || [&*all, own, from]
                    .iter()
                    .any(|fields| fields.find(hash, key).is_some())
        });
        all.copy_as(&key, from, entry, bounds.max);
    }
}
