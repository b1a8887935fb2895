//! Where there is no crash ring: the same names, without a value.

use std::{io, path::Path, sync::Arc};

use super::{CrashRing, Mark};
use crate::{Appender, Error, error::Kind, name::Family};

pub(crate) const RECORD: usize = 0;

#[derive(Default)]
pub(crate) struct Found;

pub(crate) fn find(_: &Family) -> Found {
    Found
}

pub(crate) fn write_out(_: Found, _: &Appender) {}

pub(crate) enum Ring {}

pub(crate) enum Area {}

pub(crate) fn create(
    _: &CrashRing,
    _: &Family,
    _: (usize, usize),
) -> Result<(Arc<Ring>, Area, Area), Error> {
    let what = "cannot have a crash ring on this system: it needs Linux";
    Err(Error::new(Kind::Option, what))
}

impl Ring {
    pub(crate) fn is_forked(&self) -> Option<bool> {
        match *self {}
    }

    pub(crate) fn path(&self) -> &Path {
        match *self {}
    }

    pub(crate) fn keep_name(&self) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn end(&self) -> io::Result<()> {
        match *self {}
    }
}

impl Mark for Ring {
    fn begin(&self, _: (u64, u64), _: u64) -> io::Result<()> {
        match *self {}
    }

    fn wrote(&self, _: usize) {
        match *self {}
    }

    fn passed(&self, _: usize) {
        match *self {}
    }
}

impl Area {
    pub(crate) fn bytes(&self) -> usize {
        match *self {}
    }

    pub(crate) fn first(&self) -> &[u8] {
        match *self {}
    }

    pub(crate) fn holds(&self, _: std::ops::Range<usize>) -> bool {
        match *self {}
    }

    pub(crate) fn cost(&self) -> usize {
        match *self {}
    }

    pub(crate) fn push(&mut self, _: usize, _: u64, _: &[u8]) {
        match *self {}
    }

    pub(crate) fn settle(&mut self, _: u64, _: impl FnMut(usize, u64)) {
        match *self {}
    }

    pub(crate) fn pass(&mut self, _: usize) {
        match *self {}
    }

    pub(crate) fn drop_first(&mut self, _: usize, _: impl FnMut(usize, u64)) {
        match *self {}
    }

    pub(crate) fn hand_over_for(&self, _: &Self) {
        match *self {}
    }

    pub(crate) fn clear(&mut self) {
        match *self {}
    }
}
