//! The JSON layer as a log's configuration asks for it.

use dogwatch_json::{JsonLayer, Redact};

use crate::config::Config;
use crate::preset::Preset;
use crate::settings::Settings;

/// The layer with the fixed fields, the redaction and the options of this log.
pub(crate) fn dressed<W>(writer: W, config: &Config, settings: &Settings) -> JsonLayer<W> {
    let tell = config.on_error.clone();
    let mut layer = JsonLayer::new(writer)
        .file_and_line(settings.preset == Preset::Dev)
        .redact(redact(config))
        .error_backtrace(config.error_backtrace)
        .nest_dots(config.nest_dots)
        .on_error(move |error| tell.of("json", error));
    if let Some(schema) = &settings.schema {
        layer = layer.schema(schema.clone());
    }
    if let Some(sample) = &config.sample {
        layer = layer.sample(sample.clone().keep("dogwatch"));
    }
    if let Some(service) = &settings.service {
        layer = layer.service(service);
    }
    if let Some(version) = &config.version {
        layer = layer.version(version);
    }
    if let Some(env) = &config.env {
        layer = layer.env(env);
    }
    if let Some(host) = &config.host {
        layer = layer.host(host);
    }
    for (key, value) in &config.fields {
        layer = layer.field(key, value.as_str());
    }
    layer
}

/// The one redaction of a log, for its lines and for whoever else sees its events.
pub(crate) fn redact(config: &Config) -> Redact {
    config.redact.clone().unwrap_or_else(Redact::secrets)
}
