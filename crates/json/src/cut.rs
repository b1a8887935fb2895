//! Keeps the names of fields that were cut or left out, for a line's `truncated`. Bounded.

/// Bytes for names in one line; what has no room is only counted.
const NAMES: usize = 160;

/// What `Cut::write` appends at most behind its key: `[` + names + `,"4294967295 more"]`.
pub(crate) const CUT_BYTES: usize = 1 + NAMES + 20;

#[derive(Clone, Debug, Default)]
pub(crate) struct Cut {
    /// `"body","stack"`: escaped, quoted, with commas between.
    names: Vec<u8>,
    more: u32,
}

impl Cut {
    pub(crate) fn clear(&mut self) {
        self.names.clear();
        self.more = 0;
    }

    /// Notes a field by its encoded key, `,"body":`. A field is noted once.
    pub(crate) fn note(&mut self, key: &[u8]) {
        let name = &key[1..key.len() - 1];
        if self.names().any(|known| known == name) {
            return;
        }
        if self.names.len() + 1 + name.len() > NAMES {
            self.more = self.more.saturating_add(1);
            return;
        }
        if !self.names.is_empty() {
            self.names.push(b',');
        }
        self.names.extend_from_slice(name);
    }

    /// Notes all that `other` noted.
    pub(crate) fn merge(&mut self, other: &Cut) {
        if !other.is_empty() {
            self.merge_all(other);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.more == 0
    }

    #[cold]
    fn merge_all(&mut self, other: &Cut) {
        for name in other.names() {
            let key = [b",", name, b":"].concat();
            self.note(&key);
        }
        self.more = self.more.saturating_add(other.more);
    }

    /// The noted names, escaped and quoted.
    fn names(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.names[..];
        std::iter::from_fn(move || {
            let mut escaped = false;
            let end = rest.iter().skip(1).position(|&b| {
                let closes = b == b'"' && !escaped;
                escaped = b == b'\\' && !escaped;
                closes
            })? + 2;
            let name = &rest[..end];
            rest = rest.get(end + 1..).unwrap_or_default();
            Some(name)
        })
    }

    /// Appends `,"truncated":[…]`, under the given key, if anything was noted.
    pub(crate) fn write(&self, out: &mut Vec<u8>, key: &[u8]) {
        if self.is_empty() {
            return;
        }
        out.extend_from_slice(key);
        out.push(b'[');
        out.extend_from_slice(&self.names);
        if self.more > 0 {
            if !self.names.is_empty() {
                out.push(b',');
            }
            out.push(b'"');
            out.extend_from_slice(itoa::Buffer::new().format(self.more).as_bytes());
            out.extend_from_slice(b" more\"");
        }
        out.push(b']');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b",\"truncated\":";

    fn written(cut: &Cut) -> String {
        let mut out = Vec::new();
        cut.write(&mut out, KEY);
        assert!(out.len() <= KEY.len() + CUT_BYTES);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn names_are_listed_once_while_there_is_room_and_counted_after() {
        let mut cut = Cut::default();
        assert_eq!(written(&cut), "");
        for key in [r#","body":"#, r#","a\"b":"#, r#","body":"#] {
            cut.note(key.as_bytes());
        }
        assert_eq!(written(&cut), r#","truncated":["body","a\"b"]"#);
        for n in 0..100 {
            cut.note(format!(",\"field{n}\":").as_bytes());
        }
        let mut all = Cut::default();
        all.merge(&cut);
        all.merge(&cut);
        assert!(
            written(&cut).ends_with(r#","field14","85 more"]"#),
            "{}",
            written(&cut)
        );
        assert!(
            written(&all).ends_with(r#","field14","170 more"]"#),
            "{}",
            written(&all)
        );
    }

    #[test]
    fn a_name_without_room_is_counted_alone() {
        let mut cut = Cut::default();
        cut.note(format!(",\"{}\":", "k".repeat(NAMES)).as_bytes());
        assert_eq!(written(&cut), r#","truncated":["1 more"]"#);
    }
}
