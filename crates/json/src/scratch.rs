//! What a thread keeps between events: its line buffer, its recent plans, the text of its second.

use crate::cut::Cut;
use crate::encode::Mark;
use crate::fold::Folder;
use crate::form::Form;
use crate::plan::RecentPlans;
use crate::recycle::Recycled;
use crate::time::Stamp;
use std::cell::Cell;

/// A buffer that grew beyond this is given back after the line.
const KEPT_BYTES: usize = 64 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) line: Vec<u8>,
    pub(crate) marks: Vec<Mark>,
    pub(crate) lost: Cut,
    pub(crate) own: Recycled,
    pub(crate) spare: Recycled,
    pub(crate) plans: RecentPlans,
    pub(crate) stamp: Stamp,
    folder: Folder,
}

thread_local! {
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

impl Scratch {
    /// Takes the thread's scratch, cleared. An event that is logged while another is encoded (from
    /// inside a `Display`) or while the thread's locals are dropped gets a new one.
    pub(crate) fn take() -> Box<Scratch> {
        let kept = SCRATCH.try_with(Cell::take).ok().flatten();
        let mut scratch = kept.unwrap_or_default();
        // At the start, not at the end: nothing that went wrong before reaches this line.
        scratch.line.clear();
        scratch.marks.clear();
        scratch.lost.clear();
        scratch.own.clear();
        scratch.spare.clear();
        scratch
    }

    /// The line that was encoded, its keys as the form wants them.
    pub(crate) fn line(&mut self, form: &Form) -> &[u8] {
        if form.nest_dots {
            self.folder.fold(&self.line, form).unwrap_or(&self.line)
        } else {
            &self.line
        }
    }

    /// Gives it back for the thread's next event.
    pub(crate) fn keep(mut self: Box<Self>) {
        if self.line.capacity() > KEPT_BYTES {
            self.line = Vec::new();
        }
        self.folder.shrink(KEPT_BYTES);
        for fields in [&mut self.own, &mut self.spare] {
            if fields.bytes.capacity() > KEPT_BYTES {
                fields.bytes = Vec::new();
            }
        }
        // While the thread's locals are dropped there is no next event.
        let _ = SCRATCH.try_with(|place| place.set(Some(self)));
    }
}
