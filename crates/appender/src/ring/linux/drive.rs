//! Drives the reader with bytes of any kind: as a ring, and as damage to a sound ring. For the fuzz
//! target, and for its corpus without a fuzzer.

use super::{
    layout::{HEADER, MAGIC, RECORD, Record, Roles, VERSION, at, header_check, pack},
    read::{Contents, Held},
};

/// Panics if the reader does, or if it finds a line that nobody wrote.
pub(crate) fn drive(data: &[u8]) {
    if let Ok(contents) = Contents::read(data) {
        contents.held.iter().for_each(walk);
    }
    let mut ring = image();
    for damage in data.chunks_exact(3) {
        let at = usize::from(damage[0]) << 8 | usize::from(damage[1]);
        ring[at % (HEADER + 2 * AREA)] ^= damage[2];
    }
    if data.len() % 3 == 1 {
        ring.truncate(usize::from(data[data.len() - 1]) * 50);
    }
    let Ok(contents) = Contents::read(&ring) else {
        return;
    };
    for held in &contents.held {
        walk(held);
        for run in held.sound(held.done).0 {
            for line in held.bytes[run].split_inclusive(|&byte| byte == b'\n') {
                // The first may be the rest of one: `done` is where a write stopped.
                assert!(LINES.iter().any(|whole| whole.ends_with(line)));
            }
        }
    }
}

/// Asks everything that a replay asks.
fn walk(held: &Held) {
    let mut sum = 0;
    for run in held.sound(held.done).0 {
        assert!(held.done <= run.start && run.start < run.end && run.end <= held.bytes.len());
        sum += run.len();
    }
    assert!(sum <= held.bytes.len() - held.done);
    for at in [0, held.done, held.bytes.len()] {
        assert!(held.line_start(at) <= at && at <= held.line_end(at));
        assert!(!held.is_within_line(held.line_start(at)));
    }
}

/// A ring with three lines in the writer's hand, one of them written, and two that wait.
fn image() -> Vec<u8> {
    let mut ring = vec![0; HEADER + 2 * AREA];
    let header = [MAGIC, VERSION, AREA as u64, 2, 7, 8];
    let check = header_check(header.into_iter());
    for (at, value) in header.into_iter().enumerate() {
        store(&mut ring, at, value);
    }
    store(&mut ring, at::CHECK, check);
    let roles = Roles {
        front: 1,
        flight: Some(0),
    };
    store(&mut ring, at::ROLES, roles.pack());
    for (area, lines) in [(0, &LINES[..3]), (1, &LINES[3..])] {
        let epoch = area as u64 + 5;
        let from = HEADER + area * AREA;
        let mut end = 0;
        for (index, line) in lines.iter().enumerate() {
            let record = Record::of(line, (1, 2), (epoch, index)).encode();
            ring[from + end..][..line.len()].copy_from_slice(line);
            ring[from + AREA - (index + 1) * RECORD..][..RECORD].copy_from_slice(&record);
            end += line.len();
        }
        store(&mut ring, at::epoch(area), epoch);
        store(&mut ring, at::count(area), pack(lines.len() as u32));
        store(&mut ring, at::done(area), pack(0));
    }
    store(&mut ring, at::done(0), pack(LINES[0].len() as u32));
    ring
}

fn store(ring: &mut [u8], at: usize, value: u64) {
    ring[at * 8..][..8].copy_from_slice(&value.to_ne_bytes());
}

const LINES: [&[u8]; 5] = [b"one\n", b"two\n", b"three\n", "四\n".as_bytes(), b"five\n"];

const AREA: usize = 4096;
