//! One log line as a borrowed view: fields by name, levels and values.
