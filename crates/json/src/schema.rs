//! How lines are named and laid out for those who read them: keys, level, timestamp, order.

use crate::failure::Error;
use crate::key::encoded_key;
use crate::levels::LevelStyle;
use crate::schema_rules;
use crate::timestamp::Timestamp;
use std::fmt;
use std::str::FromStr;

/// The keys and the layout that a reader of lines expects.
///
/// The default is dogwatch's own. Others are ready ([`Schema::ecs`] …), and any can be changed:
///
/// ```
/// use dogwatch_json::{JsonLayer, LevelStyle, Precision, Schema, Timestamp};
///
/// let schema = Schema::default()
///     .builder()
///     .key("timestamp", "ts")
///     .key("message", "msg")
///     .level(LevelStyle::Lower)
///     .timestamp(Timestamp::epoch(Precision::Millis))
///     .build()?;
/// let layer = JsonLayer::default().schema(schema);
/// # drop(layer);
/// # Ok::<(), dogwatch_json::Error>(())
/// ```
///
/// What a field is called in code and in alert rules does not change: `level` is `level` there.
/// A field that would take a key of the schema gets a `_` behind its own, as in every line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    pub(crate) name: &'static str,
    /// The fields whose place is not their own name at the top.
    pub(crate) places: Vec<(String, Place)>,
    pub(crate) level: LevelStyle,
    /// The key of OpenTelemetry's severity number, beside the level.
    pub(crate) severity_number: Option<&'static str>,
    pub(crate) timestamp: Timestamp,
    /// Fields that are on each line, as JSON.
    pub(crate) constants: &'static [(&'static str, &'static str)],
    /// Keys that the reader gives a meaning, and no field of an application may take.
    pub(crate) reserved: &'static [&'static str],
    pub(crate) layout: Layout,
    pub(crate) error: ErrorForm,
    /// The message stands right behind the level.
    pub(crate) message_first: bool,
    /// Keys with dots are objects to the reader: no field may be called as one of these objects.
    pub(crate) dots_nest: bool,
    /// Keys hold only letters, digits and `_`.
    pub(crate) labels: bool,
    /// Where fixed fields stand that have no place of their own.
    pub(crate) fixed_within: Option<&'static str>,
    /// What stands in such an object is text, whatever it is.
    pub(crate) text_within: bool,
    /// Where the closing line's facts of a request stand.
    pub(crate) request: Option<&'static str>,
    /// What stands before a trace id, in its text.
    pub(crate) trace_prefix: String,
}

/// A key, and the object that it stands in, if not at the top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) within: Option<&'static str>,
    pub(crate) key: String,
    /// Only in events about a request: the reader wants a number there, and elsewhere the name may
    /// mean anything.
    pub(crate) of_request: bool,
}

impl Place {
    pub(crate) fn top(key: String) -> Self {
        Place {
            within: None,
            key,
            of_request: false,
        }
    }
}

/// Which objects a line has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// As the layer's options say.
    Free,
    /// Fields of event and spans in one object, ids outside.
    Gathered(&'static str),
    /// As `tracing_subscriber`'s JSON: the event's fields with its message in `fields`, the spans'
    /// own in `span` and `spans`; no ids of ours; values as they are given.
    Subscriber,
}

/// How the field `error` is written: the keys that an error's parts have, each as it is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ErrorForm {
    /// Between the field's key and the message.
    pub(crate) open: &'static str,
    /// Between the message and the first cause.
    pub(crate) causes: &'static str,
    pub(crate) type_name: &'static str,
    pub(crate) backtrace: &'static str,
    pub(crate) close: &'static str,
}

impl ErrorForm {
    /// `{"message":"…","causes":[…],"type":"…","backtrace":"…"}`
    pub(crate) const OBJECT: ErrorForm = ErrorForm {
        open: "{\"message\":",
        causes: ",\"causes\":[",
        type_name: ",\"type\":",
        backtrace: ",\"backtrace\":",
        close: "}",
    };

    /// True if the parts are fields of their own, beside the others.
    pub(crate) fn is_flat(self) -> bool {
        self.open.is_empty()
    }
}

impl Default for Schema {
    /// dogwatch's own: the keys of this crate's page.
    fn default() -> Self {
        Schema {
            name: "dogwatch",
            places: Vec::new(),
            level: LevelStyle::Upper,
            severity_number: None,
            timestamp: Timestamp::default(),
            constants: &[],
            reserved: &[],
            layout: Layout::Free,
            error: ErrorForm::OBJECT,
            message_first: false,
            dots_nest: false,
            labels: false,
            fixed_within: None,
            text_within: false,
            request: None,
            trace_prefix: String::new(),
        }
    }
}

impl Schema {
    /// The schemas that are ready, by the names that [`FromStr`] takes.
    pub const NAMES: &[&str] = &[
        "dogwatch", "ecs", "otel", "gcp", "datadog", "logstash", "loki", "tracing",
    ];

    /// The name of the ready schema that this is, or was made of.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Begins a schema that is this one but for what is set.
    pub fn builder(self) -> SchemaBuilder {
        SchemaBuilder { schema: self }
    }

    pub(crate) fn place(&self, field: &str) -> Option<&Place> {
        let place = self.places.iter().find(|(name, _)| name == field);
        place.map(|(_, place)| place)
    }

    /// The key of a field, in whatever object.
    pub(crate) fn key<'a>(&'a self, field: &'a str) -> &'a str {
        self.place(field).map_or(field, |place| &place.key)
    }

    /// The object that a field stands in.
    pub(crate) fn within(&self, field: &str) -> Option<&'static str> {
        self.place(field).and_then(|place| place.within)
    }

    /// The bytes of keys that a line has beyond those of the default schema, at most.
    pub(crate) fn more_bytes(&self) -> usize {
        let bytes = |key: &str| encoded_key(key).len();
        let places = self.places.iter().map(|(_, place)| {
            let object = place.within.map_or(0, |within| bytes(within) + 2);
            bytes(&place.key) + object
        });
        let constants = self.constants.iter().map(|(k, v)| bytes(k) + v.len());
        let number = self.severity_number.map_or(0, |key| bytes(key) + 2);
        places.chain(constants).sum::<usize>() + number + bytes(&self.trace_prefix) - bytes("")
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}

impl FromStr for Schema {
    type Err = Error;

    /// One of [`Schema::NAMES`]; `gcp:my-project` also tells the project.
    fn from_str(name: &str) -> Result<Self, Error> {
        let project = name.strip_prefix("gcp:");
        match (name, project) {
            ("dogwatch", _) => Ok(Schema::default()),
            ("ecs", _) => Ok(Schema::ecs()),
            ("otel", _) => Ok(Schema::otel()),
            ("gcp", _) => Ok(Schema::gcp()),
            (_, Some(project)) => Schema::gcp().builder().project(project).build(),
            ("datadog", _) => Ok(Schema::datadog()),
            ("logstash", _) => Ok(Schema::logstash()),
            ("loki", _) => Ok(Schema::loki()),
            ("tracing", _) => Ok(Schema::tracing_subscriber()),
            _ => Err(Error::schema(format!(
                "no schema is called `{name}`; there are {} and gcp:PROJECT",
                Schema::NAMES.join(", ")
            ))),
        }
    }
}

/// Makes a [`Schema`] of another. From [`Schema::builder`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct SchemaBuilder {
    schema: Schema,
}

impl SchemaBuilder {
    /// The key of a field: of the line's own (`timestamp`, `level`, `target`, `message`, `file`,
    /// `line`, `service`, `version`, `env`, `host`, `trace_id`, `span_id`, `parent_span_id`, `span`,
    /// `spans`, `fields`, `truncated`) or of any other, such as `user_id`. At most 256 bytes; the
    /// last key given to a field counts.
    ///
    /// In a schema that puts the field into an object, the key is the field's in there.
    pub fn key(mut self, field: impl Into<String>, key: impl Into<String>) -> Self {
        let (field, key) = (field.into(), key.into());
        let places = &mut self.schema.places;
        match places.iter_mut().find(|(name, _)| *name == field) {
            Some((_, place)) => {
                place.key = key;
                place.of_request = false;
            }
            None => places.push((field, Place::top(key))),
        }
        self
    }

    /// How the level is written. Default: the schema's, [`LevelStyle::Upper`] in dogwatch's own.
    pub fn level(mut self, style: LevelStyle) -> Self {
        self.schema.level = style;
        self
    }

    /// How the timestamp is written. Default: the schema's, RFC 3339 in UTC with microseconds in
    /// dogwatch's own.
    pub fn timestamp(mut self, timestamp: Timestamp) -> Self {
        self.schema.timestamp = timestamp;
        self
    }

    /// The Google Cloud project whose traces the lines belong to: Cloud Logging finds the trace of
    /// a line by `projects/PROJECT/traces/ID`. Default: the bare id. For [`Schema::gcp`].
    pub fn project(mut self, project: &str) -> Self {
        self.schema.trace_prefix = format!("projects/{project}/traces/");
        self
    }

    /// The schema.
    ///
    /// # Errors
    /// If a key is empty or too long, if two fields of the line's own have the same key, or if the
    /// timestamp's offset is a day or more; the message names them.
    pub fn build(self) -> Result<Schema, Error> {
        schema_rules::check(&self.schema)?;
        Ok(self.schema)
    }
}
