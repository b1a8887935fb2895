//! A log file that rolls by size and time, and a bounded non-blocking writer before it.
