//! Reads when nobody wants to hear of a rule.

use jiff::civil::{Time, Weekday};
use jiff::tz::{Offset, TimeZone};

use crate::error::Error;
use crate::mute::Mute;
use crate::read::node::Node;

/// `mute: [{days: [sat, sun], from: "02:00", to: "04:00", tz: Asia/Shanghai}]`.
pub(crate) fn read(node: &Node<'_>) -> Result<Vec<Mute>, Error> {
    let Some(node) = node.get("mute") else {
        return Ok(Vec::new());
    };
    node.items()?.iter().map(one).collect()
}

fn one(node: &Node<'_>) -> Result<Mute, Error> {
    node.keys(&["days", "from", "to", "tz"])?;
    let days = match node.get("days") {
        Some(days) => days
            .texts()?
            .into_iter()
            .map(|(name, node)| {
                let day = DAYS
                    .iter()
                    .find(|(known, _)| **known == *name.to_lowercase());
                let known = "a day: mon, tue, wed, thu, fri, sat or sun";
                day.map(|(_, day)| *day).ok_or_else(|| node.expected(known))
            })
            .collect::<Result<Vec<_>, _>>()?,
        None => DAYS.map(|(_, day)| day).into(),
    };
    if days.is_empty() {
        return Err(node.error("no day is named, so that it mutes nothing"));
    }
    let said = (node.get("from"), node.get("to"));
    let at = |node: Option<Node<'_>>| node.map_or(Ok(Time::midnight()), |node| time(&node));
    let (from, to) = (at(said.0.clone())?, at(said.1.clone())?);
    if let (Some(_), Some(until), true) = (said.0, said.1, from == to) {
        if from != Time::midnight() {
            return Err(until.error("it ends when it begins; leave both out for the whole day"));
        }
    }
    let zone = node.get("tz").map(|node| zone(&node)).transpose()?;
    Ok(Mute {
        days,
        from,
        to,
        zone: zone.unwrap_or(TimeZone::UTC),
    })
}

fn time(node: &Node<'_>) -> Result<Time, Error> {
    let expected = || node.expected("a time of day in quotes, such as \"02:00\"");
    let text = node.value().as_str().ok_or_else(expected)?;
    if text == "24:00" {
        return Ok(Time::midnight());
    }
    let (hour, minute) = text.split_once(':').ok_or_else(expected)?;
    let number = |digits: &str| digits.parse::<i8>().ok().filter(|_| digits.len() == 2);
    let (hour, minute) = number(hour).zip(number(minute)).ok_or_else(expected)?;
    Time::new(hour, minute, 0, 0).map_err(|_| expected())
}

fn zone(node: &Node<'_>) -> Result<TimeZone, Error> {
    let name = node.str()?;
    if let Some(offset) = offset(name) {
        return Ok(TimeZone::fixed(offset));
    }
    TimeZone::get(name).map_err(|error| {
        let what = "a zone that this machine knows, such as Asia/Shanghai, or +08:00";
        node.expected(what).caused_by(error)
    })
}

fn offset(name: &str) -> Option<Offset> {
    let sign = if name.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = name.strip_prefix(['+', '-'])?.split_once(':')?;
    let number = |digits: &str| digits.parse::<i32>().ok().filter(|_| digits.len() == 2);
    let minutes = number(hours)? * 60 + number(minutes).filter(|&minutes| minutes < 60)?;
    Offset::from_seconds(sign * minutes * 60).ok()
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];
