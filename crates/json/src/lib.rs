//! A tracing layer that encodes an event into one line of JSON.
