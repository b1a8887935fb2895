//! The file's form: a line that says what it is, and one of JSON. Pure.
//!
//! `dogwatch-alert state 1 <sixteen hex digits of FNV-1a over the JSON>`

use std::error::Error as StdError;

use crate::known::hash;
use crate::snapshot::kept::Kept;

pub(crate) fn write(json: &str) -> Vec<u8> {
    format!("{NAME} {VERSION} {:016x}\n{json}\n", hash([json])).into_bytes()
}

/// Reads a file; `now` is the wall's time. What is wrong is told as the end of a sentence.
pub(crate) fn read(bytes: &[u8], now: u64) -> Result<Kept, Box<dyn StdError + Send + Sync>> {
    let text = std::str::from_utf8(bytes).map_err(|_| FOREIGN)?;
    let (head, rest) = text.split_once('\n').ok_or(FOREIGN)?;
    let head = head.strip_prefix(NAME).ok_or(FOREIGN)?;
    let (version, sum) = head.trim_start().split_once(' ').ok_or(FOREIGN)?;
    if version != VERSION {
        return Err(format!("it is of version {version}, and this program reads {VERSION}").into());
    }
    let json = rest.strip_suffix('\n').ok_or(DAMAGED)?;
    if sum != format!("{:016x}", hash([json])) {
        return Err(DAMAGED.into());
    }
    let kept: Kept = serde_json::from_str(json)?;
    if kept.saved_at > now.saturating_add(MAX_AHEAD) {
        return Err("it was saved in the future: somebody set the clock back".into());
    }
    Ok(kept)
}

const NAME: &str = "dogwatch-alert state";
const VERSION: &str = "1";
const FOREIGN: &str = "it is no file of alerts' states";
const DAMAGED: &str = "it is damaged";

/// Five minutes, in nanoseconds: clocks are corrected by less.
const MAX_AHEAD: u64 = 300_000_000_000;

#[cfg(test)]
mod tests {
    use super::{DAMAGED, FOREIGN, MAX_AHEAD, read, write};
    use crate::snapshot::kept::Kept;

    #[test]
    fn what_is_damaged_foreign_of_another_version_or_of_the_future_is_refused() {
        let kept = Kept {
            saved_at: 7 + MAX_AHEAD,
            ..Kept::default()
        };
        let whole = write(&serde_json::to_string(&kept).unwrap());
        assert_eq!(read(&whole, 7).unwrap(), kept);
        let refused = |bytes: &[u8], now| read(bytes, now).unwrap_err().to_string();
        let future = "it was saved in the future: somebody set the clock back";
        assert_eq!(refused(&whole, 6), future);
        let text = String::from_utf8(whole.clone()).unwrap();
        let version = text.replacen("state 1", "state 12", 1);
        let other = "it is of version 12, and this program reads 1";
        assert_eq!(refused(version.as_bytes(), 7), other);
        assert_eq!(refused(text.replacen('7', "8", 1).as_bytes(), 7), DAMAGED);
        for foreign in [
            &b""[..],
            b"\xff\xfe",
            b"{}",
            b"{\n}",
            b"dogwatch-alert state\n",
        ] {
            assert_eq!(refused(foreign, 7), FOREIGN);
        }
        // Every half of it, and every bit of it.
        for end in 0..whole.len() {
            assert!(read(&whole[..end], 7).is_err(), "{end}");
        }
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&bytes, 7).is_err(), "{bit}");
        }
    }
}
