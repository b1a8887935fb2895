//! Reads both text formats strictly, and stops at the first thing that a scraper would refuse.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) families: BTreeMap<String, Family>,
}

#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) kind: String,
    pub(crate) samples: Vec<Sample>,
}

#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
    pub(crate) exemplar: Option<(BTreeMap<String, String>, f64, f64)>,
}

impl Page {
    pub(crate) fn parse(content_type: &str, text: &str) -> Self {
        let open = content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert!(open || content_type == "text/plain; version=0.0.4; charset=utf-8");
        let body = if open {
            text.strip_suffix("# EOF\n").expect("an end mark")
        } else {
            text
        };
        assert!(
            body.is_empty() || body.ends_with('\n'),
            "the last line ends"
        );
        let mut page = Self {
            families: BTreeMap::new(),
        };
        let mut seen = BTreeSet::new();
        let mut current = String::new();
        let mut described = BTreeSet::new();
        for line in body.lines() {
            if let Some(comment) = line.strip_prefix("# ") {
                let (word, rest) = comment.split_once(' ').expect(line);
                let (name, rest) = rest.split_once(' ').expect(line);
                assert!(
                    described.insert((word.to_owned(), name.to_owned())),
                    "twice: {line}"
                );
                match word {
                    "HELP" => unescape(rest, open, line),
                    "TYPE" => {
                        current = name.to_owned();
                        let kind = rest.to_owned();
                        assert!(["counter", "gauge", "histogram"].contains(&rest), "{line}");
                        assert!(!(open && name.ends_with("_total")), "{line}");
                        assert!(
                            open || rest != "counter" || name.ends_with("_total"),
                            "{line}"
                        );
                        page.families.insert(
                            current.clone(),
                            Family {
                                kind,
                                samples: Vec::new(),
                            },
                        );
                    }
                    "UNIT" => assert!(open && name == current && name.ends_with(rest), "{line}"),
                    _ => panic!("unknown comment: {line}"),
                }
                continue;
            }
            let sample = Sample::parse(line, open);
            let family = page
                .families
                .get_mut(&current)
                .expect("a TYPE before samples");
            let suffixes: &[&str] = match &*family.kind {
                "histogram" => &["_bucket", "_sum", "_count"],
                "counter" if open => &["_total"],
                _ => &[""],
            };
            let suffix = sample.name.strip_prefix(&current).expect(line);
            assert!(
                suffixes.contains(&suffix),
                "no sample of this family: {line}"
            );
            if suffix == "_bucket" {
                assert!(sample.labels.contains_key("le"), "{line}");
            } else {
                assert!(
                    sample.exemplar.is_none(),
                    "only buckets have exemplars here: {line}"
                );
            }
            assert!(
                seen.insert((sample.name.clone(), sample.labels.clone())),
                "twice: {line}"
            );
            family.samples.push(sample);
        }
        for (name, family) in &page.families {
            assert!(
                described.contains(&("HELP".to_owned(), name.clone())),
                "no HELP: {name}"
            );
            if family.kind == "histogram" {
                check_histogram(name, &family.samples);
            }
        }
        page
    }

    /// The sum over the samples of that name which have all these labels.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.matching(name, labels).map(|sample| sample.value).sum()
    }

    pub(crate) fn matching<'a>(
        &'a self,
        name: &'a str,
        labels: &'a [(&str, &str)],
    ) -> impl Iterator<Item = &'a Sample> {
        self.families
            .values()
            .flat_map(|family| &family.samples)
            .filter(move |sample| {
                sample.name == name
                    && labels
                        .iter()
                        .all(|(k, v)| sample.labels.get(*k).map_or("", |v| v) == *v)
            })
    }
}

impl Sample {
    fn parse(line: &str, open: bool) -> Self {
        let end = line.find(['{', ' ']).expect(line);
        let name = line[..end].to_owned();
        assert!(is_name(&name), "{line}");
        let (labels, rest) = match line[end..].strip_prefix('{') {
            Some(rest) => take_labels(rest, line),
            None => (BTreeMap::new(), &line[end..]),
        };
        let rest = rest.strip_prefix(' ').expect(line);
        let (value, exemplar) = match rest.split_once(" # {") {
            None => (rest, None),
            Some((value, exemplar)) => {
                assert!(open, "the older text has no exemplars: {line}");
                let (labels, rest) = take_labels(exemplar, line);
                let length: usize = labels
                    .iter()
                    .map(|(k, v)| k.chars().count() + v.chars().count())
                    .sum();
                assert!(length <= 128, "{line}");
                let (seen, time) = rest.trim_start().split_once(' ').expect(line);
                (
                    value,
                    Some((labels, number(seen, line), number(time, line))),
                )
            }
        };
        Self {
            name,
            labels,
            value: number(value, line),
            exemplar,
        }
    }
}

fn check_histogram(name: &str, samples: &[Sample]) {
    let mut series: BTreeMap<BTreeMap<String, String>, Vec<&Sample>> = BTreeMap::new();
    for sample in samples {
        let mut labels = sample.labels.clone();
        labels.remove("le");
        series.entry(labels).or_default().push(sample);
    }
    for (labels, samples) in series {
        let (buckets, rest): (Vec<_>, Vec<_>) = samples
            .into_iter()
            .partition(|s| s.name.ends_with("_bucket"));
        let [sum, count] = rest[..] else {
            panic!("{name} {labels:?}: a sum and a count")
        };
        assert!(
            sum.name.ends_with("_sum") && count.name.ends_with("_count"),
            "{name}"
        );
        let bound = |s: &Sample| number(&s.labels["le"], name);
        let mut lower = f64::NEG_INFINITY;
        for pair in buckets.windows(2) {
            assert!(
                bound(pair[0]) < bound(pair[1]),
                "{name} {labels:?}: bounds rise"
            );
            assert!(
                pair[0].value <= pair[1].value,
                "{name} {labels:?}: buckets never fall"
            );
        }
        for bucket in &buckets {
            if let Some((_, value, _)) = &bucket.exemplar {
                assert!(
                    lower < *value && *value <= bound(bucket),
                    "{name}: exemplar in its bucket"
                );
            }
            lower = bound(bucket);
        }
        let last = buckets.last().expect("buckets");
        assert_eq!(last.labels["le"], "+Inf", "{name}");
        assert_eq!(
            last.value, count.value,
            "{name} {labels:?}: the last bucket is the count"
        );
        assert!(sum.value >= 0.0, "{name}");
    }
}

fn take_labels<'a>(mut rest: &'a str, line: &str) -> (BTreeMap<String, String>, &'a str) {
    let mut labels = BTreeMap::new();
    loop {
        let (name, after) = rest.split_once("=\"").expect(line);
        assert!(is_name(name), "{line}");
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next().expect(line) {
                (at, '"') => break at,
                (_, '\\') => value.push(match chars.next().expect(line).1 {
                    'n' => '\n',
                    quoted @ ('"' | '\\') => quoted,
                    other => panic!("\\{other} is no escape: {line}"),
                }),
                (_, other) => value.push(other),
            }
        };
        assert!(
            labels.insert(name.to_owned(), value).is_none(),
            "label twice: {line}"
        );
        let after = &after[end + 1..];
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return (labels, after.strip_prefix('}').expect(line)),
        }
    }
}

fn unescape(help: &str, open: bool, line: &str) {
    let mut chars = help.chars();
    while let Some(character) = chars.next() {
        match character {
            '\\' => {
                let escaped = chars.next().expect(line);
                assert!(
                    matches!(escaped, 'n' | '\\') || (open && escaped == '"'),
                    "{line}"
                );
            }
            '"' => assert!(!open, "{line}"),
            _ => {}
        }
    }
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b':'))
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':'))
}

fn number(text: &str, line: &str) -> f64 {
    match text {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        _ => {
            assert!(
                text.bytes().all(|b| b"0123456789.+-e".contains(&b)),
                "{line}"
            );
            text.parse().expect(line)
        }
    }
}
