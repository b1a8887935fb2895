//! The documents of the repository, taken into rustdoc so that every example in them is a doctest.
//!
//! Nothing is published from here: the published crates take in only pages of their own. The pages
//! lie outside this package, so they are read only where rustdoc runs, and `cargo package` passes.

#![forbid(unsafe_code)]

/// The first page.
#[cfg_attr(any(doc, doctest), doc = include_str!("../../README.md"))]
pub mod readme {}

/// The first page in Chinese.
#[cfg_attr(any(doc, doctest), doc = include_str!("../../README.zh-CN.md"))]
pub mod readme_zh_cn {}

/// The facade's own page.
#[cfg_attr(any(doc, doctest), doc = include_str!("../../crates/dogwatch/README.md"))]
pub mod facade {}

/// Why the crates are cut as they are.
#[cfg_attr(any(doc, doctest), doc = include_str!("../design.md"))]
pub mod design {}

/// The fields of a line.
#[cfg_attr(any(doc, doctest), doc = include_str!("../line.md"))]
pub mod line {}

/// The query language.
#[cfg_attr(any(doc, doctest), doc = include_str!("../query.md"))]
pub mod query {}

/// What stands beside a log file, and its format.
#[cfg_attr(any(doc, doctest), doc = include_str!("../index.md"))]
pub mod index {}

/// The command that reads it all back.
#[cfg_attr(any(doc, doctest), doc = include_str!("../cli.md"))]
pub mod cli {}

/// The rules file.
#[cfg_attr(any(doc, doctest), doc = include_str!("../alerts.md"))]
pub mod alerts {}

/// Running a service that logs.
#[cfg_attr(any(doc, doctest), doc = include_str!("../operate.md"))]
pub mod operate {}

/// What the benches printed.
#[cfg_attr(any(doc, doctest), doc = include_str!("../benchmarks.md"))]
pub mod benchmarks {}

/// From other set-ups to this one.
#[cfg_attr(any(doc, doctest), doc = include_str!("../migrate.md"))]
pub mod migrate {}
