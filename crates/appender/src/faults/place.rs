//! A fallback for the tests, and the gap line that tells of it.

use super::*;
use crate::Gap;

/// A fallback that keeps what it is given, unless it is told to fail.
#[derive(Clone, Default)]
pub(super) struct Place(Arc<Mutex<(String, Vec<usize>)>>);

impl Place {
    pub(super) fn text(&self) -> String {
        self.0.lock().unwrap().0.clone()
    }

    /// The next writes take so many bytes; none: an error.
    pub(super) fn takes(&self, bytes: &[usize]) {
        self.0.lock().unwrap().1 = bytes.to_vec();
    }
}

impl io::Write for Place {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut place = self.0.lock().unwrap();
        let length = match place.1.is_empty() {
            true => bytes.len(),
            false => place.1.remove(0).min(bytes.len()),
        };
        if length == 0 {
            return Err(io::Error::other("the fallback fails, too"));
        }
        place
            .0
            .push_str(std::str::from_utf8(&bytes[..length]).unwrap());
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn gap_line(gap: &Gap) -> Vec<u8> {
    let time = |time: std::time::SystemTime| {
        let time = jiff::Timestamp::try_from(time).unwrap();
        time.strftime("%H:%M:%S").to_string()
    };
    format!(
        "gap of {} from {} to {}: {:?}\n",
        gap.lines().total(),
        time(gap.since()),
        time(gap.until()),
        gap.reasons().collect::<Vec<_>>()
    )
    .into()
}
