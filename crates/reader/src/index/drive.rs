//! What must hold for any bytes that are taken for an index: no panic, no endless reading, and what is
//! read can be written and read again.

use dogwatch_line::{Bulk, Level};

use super::format::{Reader, write};
use super::part::Part;
use super::tie::Tie;
use super::xxh64::xxh64;

/// Reads the bytes as they are; and as bodies of records, each behind its length in two bytes, with
/// checksums that are right: nobody guesses those.
pub(crate) fn drive(data: &[u8]) {
    read(data);
    let mut sealed = b"DOGWIDX\x01".to_vec();
    let (mut rest, mut number) = (data, 0);
    while let Some((length, behind)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_le_bytes(*length)).min(behind.len());
        let (body, behind) = behind.split_at(length);
        sealed.extend((length as u32).to_le_bytes());
        sealed.extend(xxh64(body, number).to_le_bytes());
        sealed.extend_from_slice(body);
        (rest, number) = (behind, number + 1);
    }
    let Some((tie, parts)) = read(&sealed) else {
        return;
    };
    let mut again = Vec::new();
    write(&mut again, &tie, &parts).expect("memory takes all");
    assert_eq!(read(&again), Some((tie, parts)));
}

/// All of an index, if it is one.
fn read(bytes: &[u8]) -> Option<(Tie, Vec<Part>)> {
    let (tie, mut reader) = Reader::open(bytes).ok()?;
    let mut parts = Vec::new();
    while let Some(part) = reader.part().ok()? {
        let _ = (
            part.times(),
            part.may_have_level(Level::Error),
            part.may_have_text("4bf92f3577b34da6a3ce929d0e0e4736", true),
        );
        parts.push(part);
    }
    let stored: u64 = parts.iter().map(|part| part.stored).sum();
    assert_eq!(stored, tie.size);
    Some((tie, parts))
}
