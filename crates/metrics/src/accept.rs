//! Chooses the text format from an `Accept` header. Pure.

/// The two text formats that a scraper may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Prometheus text 0.0.4: no exemplars.
    Text,
    /// OpenMetrics 1.0.0: exemplars, and an end mark.
    OpenMetrics,
}

impl Format {
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// OpenMetrics only for those who name it, at least as gladly as text; else text, which
    /// every browser and scraper reads, even when neither was asked for.
    pub(crate) fn choose(accept: Option<&str>) -> Self {
        let accept = accept.unwrap_or("*/*");
        let open = weight(accept, "application/openmetrics-text", "1.0.0");
        let text = weight(accept, "text/plain", "0.0.4");
        match (open, text) {
            (Some((quality, NAMED)), _) if quality > 0 && quality >= text.map_or(0, |t| t.0) => {
                Self::OpenMetrics
            }
            _ => Self::Text,
        }
    }
}

const ANY: u8 = 0;
const ANY_OF_TYPE: u8 = 1;
const NAMED: u8 = 2;

/// How gladly a media type is taken, in thousandths, by the most specific range that fits it.
fn weight(accept: &str, media: &str, version: &str) -> Option<(u16, u8)> {
    accept
        .split(',')
        .filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let specificity = fit(parts.next()?, media)?;
            let mut quality = 1_000;
            for (name, value) in parts.filter_map(|part| part.split_once('=')) {
                let (name, value) = (name.trim(), value.trim().trim_matches('"'));
                if name.eq_ignore_ascii_case("q") {
                    quality = thousandths(value)?;
                } else if name.eq_ignore_ascii_case("version") && value != version {
                    return None;
                }
            }
            Some((quality, specificity))
        })
        .max_by_key(|(quality, specificity)| (*specificity, *quality))
}

fn fit(range: &str, media: &str) -> Option<u8> {
    let (kind, _) = media.split_once('/')?;
    if range.eq_ignore_ascii_case(media) {
        Some(NAMED)
    } else if range == "*/*" {
        Some(ANY)
    } else {
        let (range_kind, sub) = range.split_once('/')?;
        (sub == "*" && range_kind.eq_ignore_ascii_case(kind)).then_some(ANY_OF_TYPE)
    }
}

/// `0.75` is 750. A quality that is not a number between 0 and 1 voids its range.
fn thousandths(quality: &str) -> Option<u16> {
    let quality = quality
        .parse::<f32>()
        .ok()
        .filter(|q| (0.0..=1.0).contains(q))?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 1000, checked above"
    )]
    Some((quality * 1_000.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_follows_the_accept_header() {
        use Format::{OpenMetrics, Text};
        let prometheus_2 = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
        let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        let cases = [
            (None, Text),
            (Some(""), Text),
            (Some("*/*"), Text),
            (Some(browser), Text),
            (Some(prometheus_2), OpenMetrics),
            (Some(prometheus_3), OpenMetrics),
            (Some("application/openmetrics-text"), OpenMetrics),
            (
                Some("Application/OpenMetrics-Text; Version=\"1.0.0\" ; Q=0.9"),
                OpenMetrics,
            ),
            (Some("application/openmetrics-text;version=0.0.1"), Text),
            (
                Some("application/openmetrics-text;version=2.0.0,*/*;q=0.1"),
                Text,
            ),
            (
                Some("application/openmetrics-text;q=0,text/plain;q=0"),
                Text,
            ),
            (
                Some("application/openmetrics-text;q=0.3,text/plain;q=0.7"),
                Text,
            ),
            (Some("text/plain,application/openmetrics-text"), OpenMetrics),
            (
                Some("application/openmetrics-text;q=0.5,text/*;q=0.6"),
                Text,
            ),
            (Some("text/plain;q=0.1,*/*;q=0.9"), Text),
            (Some("application/*"), Text),
            (Some("application/json"), Text),
            (Some("application/openmetrics-text;q=7"), Text),
            (Some("application/openmetrics-text;q=NaN"), Text),
            (Some(";;;,,/=*"), Text),
        ];
        for (accept, expected) in cases {
            assert_eq!(Format::choose(accept), expected, "Accept: {accept:?}");
        }
    }
}
