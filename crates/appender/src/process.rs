//! Tells a forked child from the process that started the writer thread.

/// The process that a queue belongs to.
///
/// A fork copies the memory but not the writer thread: in the child nobody empties the queue, and a
/// lock that another thread had at that moment is never given back.
pub(crate) struct Process {
    id: fn() -> u32,
    home: u32,
}

impl Process {
    pub(crate) fn current() -> Self {
        Self::of(std::process::id)
    }

    pub(crate) fn of(id: fn() -> u32) -> Self {
        Self { id, home: id() }
    }

    /// A system call: not for each line.
    pub(crate) fn is_forked(&self) -> bool {
        (self.id)() != self.home
    }
}
