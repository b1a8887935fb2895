//! The ring on Linux: its bytes, the file in use, and the replay of what a killed process left.

mod area;
mod boot;
mod create;
#[cfg(test)]
mod drive;
#[cfg(test)]
mod edges;
#[cfg(test)]
mod failing;
#[cfg(test)]
mod failures;
mod file;
#[cfg(test)]
mod fuse;
#[cfg(test)]
mod halves;
#[cfg(test)]
mod kills;
mod layout;
mod live;
#[cfg(test)]
mod looms;
#[expect(unsafe_code, reason = "to map a file has no safe form")]
mod map;
#[cfg(test)]
mod mortal;
#[cfg(test)]
mod moves;
mod place;
mod read;
#[cfg(test)]
mod reboots;
mod replay;
mod tail;
mod write_out;

pub(crate) use self::{
    area::{Area, Ring},
    create::create,
    layout::RECORD,
    replay::{Found, find},
    write_out::write_out,
};
