//! What outlives the process: the alerts that fire, what is on its way, and what rules know.
//!
//! The ticker [collects](keeping), which takes memory alone, and a thread of its own
//! [writes](writer): a disk that hangs holds up no alert. What is kept is one [frame] in one
//! [file], replaced as a whole.

mod counts;
mod definition;
mod disk;
mod file;
mod frame;
mod keeping;
mod kept;
mod slots;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use file::StateFile;
pub(crate) use keeping::Keeping;
