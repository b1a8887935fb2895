//! An encoded key, `,"key":`, as it is copied into lines and compared with others.

use crate::escape::escape;

#[derive(Debug)]
pub(crate) struct Key {
    /// The key and the quote that opens a text, filled up with zeros.
    padded: Box<[u8]>,
    len: usize,
    pub(crate) hash: u32,
}

/// Nearly all keys fit here, and a copy of a known length is two moves instead of a call.
const SHORT: usize = 32;

impl Key {
    /// The key of a field; `id` is the hash of an id.
    pub(crate) fn new(name: &str, id: Option<u32>) -> Self {
        let mut padded = encoded_key(name);
        let (len, hash) = (padded.len(), id.unwrap_or_else(|| key_hash(&padded)));
        padded.push(b'"');
        padded.resize(padded.len().max(SHORT), 0);
        Key {
            padded: padded.into(),
            len,
            hash,
        }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.padded[..self.len]
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        self.write_some(out, self.len);
    }

    /// And opens a text.
    #[inline]
    pub(crate) fn write_quoted(&self, out: &mut Vec<u8>) {
        self.write_some(out, self.len + 1);
    }

    #[inline]
    fn write_some(&self, out: &mut Vec<u8>, len: usize) {
        match self.padded.first_chunk::<SHORT>() {
            Some(short) if len <= SHORT => {
                let end = out.len() + len;
                out.extend_from_slice(short);
                out.truncate(end);
            }
            _ => out.extend_from_slice(&self.padded[..len]),
        }
    }
}

/// `,"key":`
pub(crate) fn encoded_key(name: &str) -> Vec<u8> {
    let mut out = b",\"".to_vec();
    escape(&mut out, name);
    out.extend_from_slice(b"\":");
    out
}

/// The hashes of the three ids, whatever their keys are; no other key has one of these.
pub(crate) const TRACE: u32 = 0;
pub(crate) const SPAN: u32 = 1;
pub(crate) const PARENT: u32 = 2;
pub(crate) const IDS: [u32; 3] = [TRACE, SPAN, PARENT];

/// FNV-1a over an encoded key, never an id's.
pub(crate) const fn key_hash(key: &[u8]) -> u32 {
    let mut hash = 0x811c_9dc5_u32;
    let mut at = 0;
    while at < key.len() {
        hash = (hash ^ key[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    if hash <= PARENT { hash + 3 } else { hash }
}

/// A bit that stands for a key in a set of few: no bit in common, no key in common.
pub(crate) fn key_bit(hash: u32) -> u64 {
    1 << (hash % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_every_length_are_copied_whole() {
        for length in [0, 1, 26, 27, 28, 29, 100] {
            let name = "k".repeat(length);
            let key = Key::new(&name, None);
            let mut out = b"{\"x\":1".to_vec();
            key.write(&mut out);
            assert_eq!(out, format!("{{\"x\":1,\"{name}\":").into_bytes());
            out.truncate(6);
            key.write_quoted(&mut out);
            assert_eq!(out, format!("{{\"x\":1,\"{name}\":\"").into_bytes());
            assert_eq!(key.as_slice(), format!(",\"{name}\":").as_bytes());
        }
    }
}
