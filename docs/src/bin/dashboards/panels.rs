//! The one source of the dashboard: which panels, in which order, asking what.
//!
//! The order is that of a night call. First whether it is bad and how bad, in one line of numbers;
//! then which route; then what the log says; then whether the process or the host is the cause.

mod alerts;

use crate::panel::{
    Limits::{At, Zero},
    Panel, Row,
    View::{Heatmap, Levels, Lines, Routes, Stack, Stat},
};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row {
            title: "",
            panels: now(),
        },
        Row {
            title: "Requests",
            panels: requests(),
        },
        Row {
            title: "Log",
            panels: log(),
        },
        Row {
            title: "Alert rules of the service",
            panels: alerts::panels(),
        },
        Row {
            title: "Process",
            panels: process(),
        },
        Row {
            title: "Host",
            panels: host(),
        },
    ]
}

fn now() -> Vec<Panel> {
    vec![
        Panel::new("Requests", Stat, "reqps")
            .about("Requests that ended, a second, of the chosen routes.")
            .query("sum(rate(#requests_count{#routes}[#rate]))", "requests")
            .nothing("no requests"),
        Panel::new("Failing", Stat, "percentunit")
            .about("Share of requests answered with a server error. Requests shed on purpose are not in it.")
            .query(
                "sum(rate(#requests_count{#routes,#failed}[#rate]) or 0 * rate(#requests_count{#routes}[#rate]))\n/ (sum(rate(#requests_count{#routes}[#rate])) > 0)",
                "failing",
            )
            .limits(At(0.01, 0.05))
            .nothing("no requests"),
        Panel::new("Slowest hundredth", Stat, "s")
            .about("One request in a hundred takes longer than this: the 99th percentile.")
            .query(
                "histogram_quantile(0.99, sum by (le) (rate(#requests_bucket{#routes}[#rate])))",
                "p99",
            )
            .limits(At(1.0, 2.5))
            .nothing("no requests"),
        Panel::new("Under way", Stat, "short")
            .about("Requests being answered now. Rising without more requests coming in: something behind the service hangs.")
            .query("sum(http_server_active_requests{#service})", "under way")
            .nothing("none yet"),
        Panel::new("Rules firing", Stat, "short")
            .about("Alert rules inside the service that are firing now; see their row below.")
            .query(r#"sum(dogwatch_alert_state{#service,state="firing"})"#, "firing")
            .limits(At(1.0, 1.0))
            .nothing("no rules"),
        Panel::new("Lines lost", Stat, "short")
            .about("Log lines lost in the chosen time. Above 0 the log has gaps, and a gap line stands at each.")
            .query("sum(increase(dogwatch_lines_lost_total{#service}[$__range]))", "lost")
            .limits(Zero)
            .nothing("no log output"),
    ]
}

fn requests() -> Vec<Panel> {
    vec![
        Panel::new("Failing, by route", Lines, "percentunit")
            .about("Where it hurts. Click a line to see that route alone.")
            .query(
                "sum by (http_route) (rate(#requests_count{#routes,#failed}[#rate]) or 0 * rate(#requests_count{#routes}[#rate]))\n/ (sum by (http_route) (rate(#requests_count{#routes}[#rate])) > 0)",
                "{{http_route}}",
            )
            .limits(At(0.01, 0.05)),
        Panel::new("Slowest hundredth, by route", Lines, "s")
            .about("The 99th percentile. A dot is one request: its trace id finds its lines in the log.")
            .query(
                "histogram_quantile(0.99, sum by (le, http_route) (rate(#requests_bucket{#routes}[#rate])))",
                "{{http_route}}",
            )
            .exemplars(),
        Panel::new("Requests, by route", Stack, "reqps")
            .about("How many, and of what. A drop to nothing is an outage too.")
            .query("sum by (http_route) (rate(#requests_count{#routes}[#rate]))", "{{http_route}}"),
        Panel::new("Routes", Routes, "short")
            .about("All routes by their failing share, worst first.")
            .query(
                "sum by (http_route) (rate(#requests_count{#routes,#failed}[#rate]) or 0 * rate(#requests_count{#routes}[#rate]))\n/ (sum by (http_route) (rate(#requests_count{#routes}[#rate])) > 0)",
                "failing",
            )
            .query("sum by (http_route) (rate(#requests_count{#routes}[#rate])) > 0", "requests")
            .query(
                "histogram_quantile(0.99, sum by (le, http_route) (rate(#requests_bucket{#routes}[#rate]))) > 0",
                "p99",
            ),
        Panel::new("How requests ended", Stack, "reqps")
            .about("By status and, where they did not simply complete, by why: `cancelled…` are clients that left, `shed` was turned away on purpose, `panicked` is a bug.")
            .query(
                "sum by (http_response_status_code, error_type) (rate(#requests_count{#routes}[#rate]))",
                "{{http_response_status_code}} {{error_type}}",
            ),
        Panel::new("Durations", Heatmap, "s")
            .about("How many requests took how long. Two bands are two kinds of request: fast answers and timeouts, cached and not.")
            .query("sum by (le) (increase(#requests_bucket{#routes}[#rate]))", "{{le}}")
            .exemplars(),
        Panel::new("Half of the requests are faster, by route", Lines, "s")
            .about("The median: when it rises, everybody waits; when only the slowest hundredth does, look for locks and retries.")
            .query(
                "histogram_quantile(0.5, sum by (le, http_route) (rate(#requests_bucket{#routes}[#rate])))",
                "{{http_route}}",
            ),
        Panel::new("Under way", Lines, "short")
            .about("Requests being answered, by instance and method.")
            .query(
                "sum by (instance, http_request_method) (http_server_active_requests{#service})",
                "{{instance}} {{http_request_method}}",
            ),
        Panel::new("Bodies", Lines, "Bps")
            .about("Bytes of request bodies read (where they are counted) and of answers sent, a second.")
            .query(
                r#"sum(rate(http_server_request_body_size_bytes_sum{#routes}[#rate]))"#,
                "in",
            )
            .query(
                r#"sum(rate(http_server_response_body_size_bytes_sum{#routes}[#rate]))"#,
                "out",
            ),
    ]
}

fn log() -> Vec<Panel> {
    vec![
        Panel::new("Lines, by level", Levels, "cps")
            .about("Lines a second. A step in ERROR without a step in requests is news.")
            .query("sum by (level) (rate(dogwatch_lines_total{#service}[#rate]))", "{{level}}"),
        Panel::new("Who warns and fails", Lines, "cps")
            .about("The ten targets, modules mostly, with most lines of WARN and ERROR.")
            .query(
                r#"topk(10, sum by (level, target) (rate(dogwatch_lines_total{#service,level=~"WARN|ERROR"}[#rate])) > 0)"#,
                "{{level}} {{target}}",
            )
            .nothing("no warning, no error"),
        Panel::new("Lines lost, by reason", Stack, "cps")
            .about("`full`: the disk was too slow or full for too long. `io`: the output broke. The gap line in the log says how many are missing at its place.")
            .query("sum by (reason) (rate(dogwatch_lines_lost_total{#service}[#rate]))", "{{reason}}")
            .limits(Zero),
        Panel::new("Lines waiting", Lines, "short")
            .about("Accepted and not yet written. A line that climbs is a disk, or a reader of stdout, that has stopped.")
            .query("sum by (instance, output) (dogwatch_lines_pending{#service})", "{{instance}} {{output}}"),
        Panel::new("Lines written", Lines, "cps")
            .about("Lines that each output took, a second.")
            .query(
                "sum by (instance, output) (rate(dogwatch_lines_written_total{#service}[#rate]))",
                "{{instance}} {{output}}",
            ),
        Panel::new("Log files", Lines, "short")
            .about("Files rolled, compressed and deleted in the chosen time. Rolled without deleted, for weeks: look at the disk.")
            .query("sum(increase(dogwatch_files_rolled_total{#service}[$__range]))", "rolled")
            .query("sum(increase(dogwatch_files_compressed_total{#service}[$__range]))", "compressed")
            .query("sum(increase(dogwatch_files_deleted_total{#service}[$__range]))", "deleted"),
    ]
}

fn process() -> Vec<Panel> {
    vec![
        Panel::new("Processor", Lines, "short")
            .about("Cores in use.")
            .query("rate(process_cpu_seconds_total{#service}[#rate])", "{{instance}}"),
        Panel::new("Memory", Lines, "bytes")
            .about("Resident memory. A slope that never bends is a leak.")
            .query("process_resident_memory_bytes{#service}", "{{instance}}"),
        Panel::new("Open files and threads", Lines, "short")
            .about("File descriptors, sockets included, and threads. Near its limit, the service refuses connections.")
            .query("process_open_fds{#service}", "{{instance}} files")
            .query("process_max_fds{#service}", "{{instance}} most files")
            .query("process_threads{#service}", "{{instance}} threads"),
    ]
}

fn host() -> Vec<Panel> {
    vec![
        Panel::new("Processors in use", Lines, "percentunit")
            .about("Share of all cores that is not idle.")
            .query(
                r#"1 - avg by (instance) (rate(node_cpu_seconds_total{#host,mode="idle"}[#rate]))"#,
                "{{instance}}",
            )
            .limits(At(0.8, 0.95)),
        Panel::new("Memory in use", Lines, "percentunit")
            .about("Share that is not available without swapping.")
            .query(
                "1 - node_memory_MemAvailable_bytes{#host} / node_memory_MemTotal_bytes{#host}",
                "{{instance}}",
            )
            .limits(At(0.85, 0.95)),
        Panel::new("Disk space in use", Lines, "percentunit")
            .about("By mount point. The log's disk full: lines wait, then are lost and counted; the service goes on.")
            .query(
                r#"1 - node_filesystem_avail_bytes{#host,fstype!~"tmpfs|ramfs"} / (node_filesystem_size_bytes{#host,fstype!~"tmpfs|ramfs"} > 0)"#,
                "{{instance}} {{mountpoint}}",
            )
            .limits(At(0.8, 0.95)),
        Panel::new("Load by core", Lines, "short")
            .about("Tasks that run or wait, by core, over a minute. Above 1 they wait for processors or for the disk.")
            .query(
                r#"node_load1{#host} / on (instance) group_left () count by (instance) (node_cpu_seconds_total{#host,mode="idle"})"#,
                "{{instance}}",
            )
            .limits(At(1.0, 4.0)),
        Panel::new("Disk busy", Lines, "percentunit")
            .about("Share of the time in which the device had something to do.")
            .query(
                "rate(node_disk_io_time_seconds_total{#host}[#rate])",
                "{{instance}} {{device}}",
            )
            .limits(At(0.8, 0.95)),
        Panel::new("Network", Lines, "Bps")
            .about("Bytes received and sent, a second.")
            .query(
                r#"sum by (instance) (rate(node_network_receive_bytes_total{#host,device!="lo"}[#rate]))"#,
                "{{instance}} in",
            )
            .query(
                r#"sum by (instance) (rate(node_network_transmit_bytes_total{#host,device!="lo"}[#rate]))"#,
                "{{instance}} out",
            ),
    ]
}
