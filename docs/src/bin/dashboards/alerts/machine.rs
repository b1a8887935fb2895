//! Alerts on the process and its host: restarts, files, disk, memory, processors.

use super::{Alert, series};

pub(super) const MACHINE: &[Alert] = &[
    Alert {
        name: "Restarting",
        promql: "changes(process_start_time_seconds[30m]) > 2",
        lasts: "0m",
        severity: "warning",
        summary: "{{ $labels.job }} at {{ $labels.instance }} has restarted {{ $value }} times in half an hour",
        action: "A panic that ends the process is the last line of its log, at FATAL. None there: look for the out-of-memory killer.",
        fires: &[series(
            r#"process_start_time_seconds{job="shop",instance="a"}"#,
            "1x5 2x5 3x5 4x20",
        )],
        at: "25m",
        labels: &[("job", "shop"), ("instance", "a")],
        says: "shop at a has restarted 3 times in half an hour",
        quiet: &[series(
            r#"process_start_time_seconds{job="shop",instance="a"}"#,
            "1x5 2x5 3x25",
        )],
    },
    Alert {
        name: "OpenFilesRunOut",
        promql: "process_open_fds / process_max_fds > 0.9",
        lasts: "5m",
        severity: "critical",
        summary: "{{ $labels.job }} at {{ $labels.instance }} has {{ $value | humanizePercentage }} of its files open",
        action: "At the limit it accepts no connection. Connections that nobody closes, mostly: compare with requests under way.",
        fires: &[
            series(r#"process_open_fds{job="shop",instance="a"}"#, "950x20"),
            series(r#"process_max_fds{job="shop",instance="a"}"#, "1000x20"),
        ],
        at: "10m",
        labels: &[("job", "shop"), ("instance", "a")],
        says: "shop at a has 95% of its files open",
        quiet: &[
            series(r#"process_open_fds{job="shop",instance="a"}"#, "850x20"),
            series(r#"process_max_fds{job="shop",instance="a"}"#, "1000x20"),
        ],
    },
    Alert {
        name: "DiskFilling",
        promql: r#"predict_linear(node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs"}[1h], 4 * 3600) < 0
and node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.2"#,
        lasts: "10m",
        severity: "critical",
        summary: "{{ $labels.mountpoint }} on {{ $labels.instance }} is full within four hours",
        action: "Rolled log files may be moved or deleted at any time; never truncate the one being written.",
        fires: &[
            series(
                r#"node_filesystem_avail_bytes{job="node",instance="a",mountpoint="/",fstype="ext4"}"#,
                "18-0.15x110",
            ),
            series(
                r#"node_filesystem_size_bytes{job="node",instance="a",mountpoint="/",fstype="ext4"}"#,
                "100x110",
            ),
        ],
        at: "90m",
        labels: &[
            ("job", "node"),
            ("instance", "a"),
            ("mountpoint", "/"),
            ("fstype", "ext4"),
        ],
        says: "/ on a is full within four hours",
        quiet: &[
            series(
                r#"node_filesystem_avail_bytes{job="node",instance="a",mountpoint="/",fstype="ext4"}"#,
                "18x110",
            ),
            series(
                r#"node_filesystem_size_bytes{job="node",instance="a",mountpoint="/",fstype="ext4"}"#,
                "100x110",
            ),
        ],
    },
    Alert {
        name: "DiskAlmostFull",
        promql: r#"node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs"} / (node_filesystem_size_bytes > 0) < 0.05"#,
        lasts: "5m",
        severity: "critical",
        summary: "{{ $labels.mountpoint }} on {{ $labels.instance }} has {{ $value | humanizePercentage }} left",
        action: "Rolled log files may be moved or deleted at any time; never truncate the one being written.",
        fires: &[
            series(
                r#"node_filesystem_avail_bytes{job="node",instance="a",mountpoint="/",fstype="ext4"}"#,
                "4x20",
            ),
            series(
                r#"node_filesystem_size_bytes{job="node",instance="a",mountpoint="/",fstype="ext4"}"#,
                "100x20",
            ),
        ],
        at: "10m",
        labels: &[
            ("job", "node"),
            ("instance", "a"),
            ("mountpoint", "/"),
            ("fstype", "ext4"),
        ],
        says: "/ on a has 4% left",
        quiet: &[
            series(
                r#"node_filesystem_avail_bytes{job="node",instance="a",mountpoint="/",fstype="ext4"}"#,
                "6x20",
            ),
            series(
                r#"node_filesystem_size_bytes{job="node",instance="a",mountpoint="/",fstype="ext4"}"#,
                "100x20",
            ),
        ],
    },
    Alert {
        name: "MemoryRunsOut",
        promql: "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.05",
        lasts: "5m",
        severity: "critical",
        summary: "{{ $labels.instance }} has {{ $value | humanizePercentage }} of its memory left",
        action: "The out-of-memory killer comes next, and a killed process writes no last line.",
        fires: &[
            series(
                r#"node_memory_MemAvailable_bytes{job="node",instance="a"}"#,
                "4x20",
            ),
            series(
                r#"node_memory_MemTotal_bytes{job="node",instance="a"}"#,
                "100x20",
            ),
        ],
        at: "10m",
        labels: &[("job", "node"), ("instance", "a")],
        says: "a has 4% of its memory left",
        quiet: &[
            series(
                r#"node_memory_MemAvailable_bytes{job="node",instance="a"}"#,
                "6x20",
            ),
            series(
                r#"node_memory_MemTotal_bytes{job="node",instance="a"}"#,
                "100x20",
            ),
        ],
    },
    Alert {
        name: "ProcessorsBusy",
        promql: r#"1 - avg by (job, instance) (rate(node_cpu_seconds_total{mode="idle"}[5m])) > 0.95"#,
        lasts: "15m",
        severity: "warning",
        summary: "{{ $labels.instance }} has had its processors {{ $value | humanizePercentage }} busy for a quarter of an hour",
        action: "Compare with the service's own use in the dashboard's row Process: is it this service, or its neighbour?",
        fires: &[series(
            r#"node_cpu_seconds_total{job="node",instance="a",cpu="0",mode="idle"}"#,
            "0+1.2x60",
        )],
        at: "30m",
        labels: &[("job", "node"), ("instance", "a")],
        says: "a has had its processors 98% busy for a quarter of an hour",
        quiet: &[
            series(
                r#"node_cpu_seconds_total{job="node",instance="a",cpu="0",mode="idle"}"#,
                "0+30x60",
            ),
            series(
                r#"node_cpu_seconds_total{job="node",instance="a",cpu="0",mode="user"}"#,
                "0+59x60",
            ),
        ],
    },
];
