//! The row of the rules: when they fired, what they kept back, and who was told.

use crate::panel::{
    Panel,
    View::{Bars, Lines, States},
};

pub(super) fn panels() -> Vec<Panel> {
    vec![
        Panel::new("When they were firing", States, "short")
            .about("Each rule of the service's rules file. What it saw stands in its notification and in the log, under `alert_fired`.")
            .query(
                r#"max by (rule) (dogwatch_alert_state{#service,state="firing"})"#,
                "{{rule}}",
            )
            .size(16, 7)
            .nothing("no rules"),
        Panel::new("How often they fired", Bars, "short")
            .about("In the chosen time. A rule that fires every night and needs nobody has the wrong threshold.")
            .query("sum by (rule) (increase(dogwatch_alerts_fired_total{#service}[$__range]))", "{{rule}}")
            .size(8, 7)
            .nothing("no rules"),
        Panel::new("Notifications", Lines, "short")
            .about("By notifier and outcome. `failed` and `dropped`: somebody was not told, and the log of errors says why. `coalesced` and `suppressed` are told by a later state.")
            .query(
                "sum by (notifier, outcome) (increase(dogwatch_notifications_total{#service}[#rate]))",
                "{{notifier}} {{outcome}}",
            )
            .nothing("no rules"),
        Panel::new("Kept back by rules", Lines, "short")
            .about("By reason: `muted` in a window, `learning` at the start, `overflowed` beyond `max_groups`, `forgotten` values.")
            .query(
                "sum by (reason) (increase(dogwatch_alerts_suppressed_total{#service}[#rate]))",
                "{{reason}}",
            )
            .nothing("no rules"),
    ]
}
