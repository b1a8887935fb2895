//! Alerts on what the log says of itself: rules firing, lines waiting, lines lost.

use super::{Alert, series};

pub(super) const LOG: &[Alert] = &[
    Alert {
        name: "RuleFiring",
        promql: r#"max by (job, rule) (dogwatch_alert_state{state="firing"}) == 1"#,
        lasts: "0m",
        severity: "warning",
        summary: "the rule {{ $labels.rule }} of {{ $labels.job }} is firing",
        action: "The service has notified by itself, with the lines that it saw. This one comes even if its notifier does not.",
        fires: &[series(
            r#"dogwatch_alert_state{job="shop",instance="a",rule="支付失败",state="firing"}"#,
            "0x5 1x10",
        )],
        at: "10m",
        labels: &[("job", "shop"), ("rule", "支付失败")],
        says: "the rule 支付失败 of shop is firing",
        quiet: &[
            series(
                r#"dogwatch_alert_state{job="shop",instance="a",rule="支付失败",state="firing"}"#,
                "1x5 0x10",
            ),
            series(
                r#"dogwatch_alert_state{job="shop",instance="a",rule="支付失败",state="resolved"}"#,
                "0x5 1x10",
            ),
        ],
    },
    Alert {
        name: "LogStopped",
        promql: "dogwatch_lines_pending > 0\nand rate(dogwatch_lines_written_total[5m]) == 0",
        lasts: "5m",
        severity: "critical",
        summary: "{{ $labels.job }} at {{ $labels.instance }} has lines to write and writes none to {{ $labels.output }}",
        action: "Is the disk full, or has the reader of stdout stopped? Lines wait until the buffer is full and are lost then. Make room: nothing has to be restarted.",
        fires: &[
            series(
                r#"dogwatch_lines_pending{job="shop",instance="a",output="stdout"}"#,
                "0x5 10x30",
            ),
            series(
                r#"dogwatch_lines_written_total{job="shop",instance="a",output="stdout"}"#,
                "0+10x5 50x30",
            ),
        ],
        at: "20m",
        labels: &[("job", "shop"), ("instance", "a"), ("output", "stdout")],
        says: "shop at a has lines to write and writes none to stdout",
        quiet: &[
            series(
                r#"dogwatch_lines_pending{job="shop",instance="a",output="stdout"}"#,
                "10x30",
            ),
            series(
                r#"dogwatch_lines_written_total{job="shop",instance="a",output="stdout"}"#,
                "0+10x30",
            ),
        ],
    },
    Alert {
        name: "LinesLost",
        promql: "sum by (job, instance, reason) (increase(dogwatch_lines_lost_total[10m])) > 0",
        lasts: "0m",
        severity: "warning",
        summary: "{{ $labels.job }} at {{ $labels.instance }} lost log lines: {{ $labels.reason }}",
        action: "The gap line in the log says how many and since when; docs/operate.md says what each reason means.",
        fires: &[series(
            r#"dogwatch_lines_lost_total{job="shop",instance="a",reason="full"}"#,
            "0x5 3x30",
        )],
        at: "10m",
        labels: &[("job", "shop"), ("instance", "a"), ("reason", "full")],
        says: "shop at a lost log lines: full",
        quiet: &[series(
            r#"dogwatch_lines_lost_total{job="shop",instance="a",reason="full"}"#,
            "3x40",
        )],
    },
    Alert {
        name: "SourcePanics",
        promql: "increase(dogwatch_source_panics_total[1h]) > 0",
        lasts: "0m",
        severity: "warning",
        summary: "a closure that {{ $labels.job }} reads at each scrape panics",
        action: "What it had to say is not on the page. Its panic is a line of the log.",
        fires: &[series(
            r#"dogwatch_source_panics_total{job="shop",instance="a"}"#,
            "0+1x20",
        )],
        at: "10m",
        labels: &[("job", "shop"), ("instance", "a")],
        says: "a closure that shop reads at each scrape panics",
        quiet: &[series(
            r#"dogwatch_source_panics_total{job="shop",instance="a"}"#,
            "1x20",
        )],
    },
];
