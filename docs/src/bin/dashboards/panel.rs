//! What a panel is made of, without Grafana's spelling.

/// One row of the dashboard: a heading, and the panels below it in their order.
pub(crate) struct Row {
    /// Empty for the first: it needs no heading.
    pub(crate) title: &'static str,
    pub(crate) panels: Vec<Panel>,
}

/// One panel.
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    /// What it shows, and what to do about it.
    pub(crate) about: &'static str,
    pub(crate) view: View,
    /// A unit by Grafana's name.
    pub(crate) unit: &'static str,
    /// Columns of 24, and rows of about 30 pixels.
    pub(crate) size: (u32, u32),
    pub(crate) queries: Vec<Query>,
    /// From which value on it is orange, and red.
    pub(crate) limits: Limits,
    /// What stands there when there is nothing to show.
    pub(crate) nothing: &'static str,
}

/// How a panel shows its figures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    /// The last value, large, over a faint curve.
    Stat,
    Lines,
    /// Lines on top of one another, where their sum means something.
    Stack,
    /// Log levels on top of one another, in the colours that people know them by.
    Levels,
    /// How many fell into each bucket, by time.
    Heatmap,
    /// When each alert rule was firing.
    States,
    /// One line a route: rate, failing share, slowest hundredth.
    Routes,
    /// One bar a label.
    Bars,
}

/// Where a value begins to be bad.
#[derive(Clone, Copy)]
pub(crate) enum Limits {
    None,
    /// Red above nothing at all.
    Zero,
    /// Orange from the first on, red from the second.
    At(f64, f64),
}

/// One query of a panel.
pub(crate) struct Query {
    pub(crate) promql: String,
    /// The name of a series; `{{label}}` stands for the label's value.
    pub(crate) legend: &'static str,
    /// Whether the traces behind the curve are shown as dots.
    pub(crate) exemplars: bool,
}

impl Panel {
    pub(crate) fn new(title: &'static str, view: View, unit: &'static str) -> Self {
        Self {
            title,
            about: "",
            view,
            unit,
            size: if view == View::Stat { (4, 4) } else { (8, 8) },
            queries: Vec::new(),
            limits: Limits::None,
            nothing: "no data",
        }
    }

    pub(crate) fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    pub(crate) fn query(mut self, promql: &str, legend: &'static str) -> Self {
        self.queries.push(Query {
            promql: full(promql),
            legend,
            exemplars: false,
        });
        self
    }

    /// The last query, with its exemplars.
    pub(crate) fn exemplars(mut self) -> Self {
        if let Some(query) = self.queries.last_mut() {
            query.exemplars = true;
        }
        self
    }

    pub(crate) fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    pub(crate) fn size(self, columns: u32, rows: u32) -> Self {
        Self {
            size: (columns, rows),
            ..self
        }
    }

    pub(crate) fn nothing(self, nothing: &'static str) -> Self {
        Self { nothing, ..self }
    }
}

/// Fills in what the dashboard's variables choose, and the long names.
fn full(promql: &str) -> String {
    promql
        .replace("#requests", "http_server_request_duration_seconds")
        .replace("#routes", r#"#service,http_route=~"$route""#)
        .replace("#service", r#"job=~"$job",instance=~"$instance""#)
        .replace("#host", r#"job=~"$host_job",instance=~"$host""#)
        .replace("#failed", FAILED)
        .replace("#rate", "$__rate_interval")
}

/// Answered with a server error, and not on purpose.
pub(crate) const FAILED: &str = r#"http_response_status_code=~"5..",error_type!="shed""#;
