//! A tracing layer of alert rules: windows, states, notifiers and playbooks.
