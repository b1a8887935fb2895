//! Whatever text reaches the page, a scraper reads that text back.

use crate::{COUNT, GOOD, scrape};
use dogwatch_metrics::{Alert, Metrics, Request};
use proptest::prelude::*;

proptest! {
    #[test]
    fn any_text_comes_back_as_it_was(
        route in ".+",
        outcome in ".+",
        rule in "(?s).+",
        value in "(?s).+",
        help in "(?s).*",
    ) {
        let metrics = Metrics::new();
        metrics.request(&Request { route: Some(&route), outcome: &outcome, ..GOOD });
        let (named, alert) = (rule.clone(), rule.clone());
        metrics.alerts(move || vec![Alert { rule: alert.clone(), state: "firing", matched: 7, fired: 7 }]);
        metrics.lost_lines(move || vec![(named.clone(), 5)]);
        let label = value.clone();
        metrics.gauge_from("shop", &help, ["a"], move || vec![([label.clone()], 3.0)]).unwrap();

        let page = scrape(&metrics);
        let good = ["completed", "upgraded"].contains(&&*outcome);
        let error = if good { "" } else { &*outcome };
        prop_assert_eq!(page.sum(COUNT, &[("http_route", &route), ("error_type", error)]), 1.0);
        prop_assert_eq!(page.sum("dogwatch_alerts_fired_total", &[("rule", &rule)]), 7.0);
        prop_assert_eq!(page.sum("dogwatch_lines_lost_total", &[("reason", &rule)]), 5.0);
        prop_assert_eq!(page.sum("shop", &[("a", &value)]), 3.0);
    }
}
