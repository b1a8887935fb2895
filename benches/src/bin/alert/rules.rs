//! Makes the rules and the lines that are measured.

/// Fifty rules about other parts of the service.
pub(crate) fn of_others() -> String {
    let rule = |n| {
        format!("- {{name: r{n}, match: 'target=shop::other{n} status>=500', threshold: 10}}\n")
    };
    (0..50).map(rule).collect()
}

/// Fifty patterns over an event's text, none of which is in [`MESSAGE`].
pub(crate) fn texts() -> String {
    let rule = |n: usize| {
        let pattern = match n % 5 {
            0 => format!("pool {n} timed out"),
            1 => format!("ERROR.*\\[5{n:02}\\]"),
            2 => format!("(refused|reset) by peer {n}"),
            3 => format!("disk sd{n} is full"),
            _ => format!("panicked at src/part{n}"),
        };
        format!("- {{name: r{n}, pattern: '{pattern}', threshold: 10}}\n")
    };
    (0..50).map(rule).collect()
}

/// What counts every event of one kind and never fires.
pub(crate) const ONE: &str =
    "- {name: r, pattern: 'ERROR.*\\[5xx\\]', threshold: 100000, window: 1ms}";

/// So many rules, each for events that name it, by tenant.
pub(crate) fn grouped(rules: usize) -> String {
    let rule =
        |n| format!("- {{name: r{n}, match: {{rule: {n}}}, threshold: 10/1h, group_by: tenant}}\n");
    (0..rules).map(rule).collect()
}

/// Fifty queries for words that one line in five thousand has.
pub(crate) fn queries() -> String {
    let rule = |n| {
        format!(
            "- {{name: r{n}, match: 'level>=warn \"fault number {n} of the channel\"', threshold: 10}}\n"
        )
    };
    (100..150).map(rule).collect()
}

/// A line of a shop, three in ten of them a WARN; one in a hundred is a fault.
pub(crate) fn line(n: u64) -> String {
    let fault = n % 100 == 7;
    let level = if fault || n % 10 < 3 { "WARN" } else { "INFO" };
    let (minute, second, micros) = (n / 60_000 % 60, n / 1_000 % 60, n % 1_000);
    let what = match fault {
        true => format!("fault number {} of the channel", 100 + n / 100 % 50),
        false => format!("order {n} settled by the channel"),
    };
    format!(
        "{{\"timestamp\":\"2026-11-24T10:{minute:02}:{second:02}.{micros:06}Z\",\"level\":\"{level}\",\
         \"service\":\"shop\",\"target\":\"shop::pay\",\"message\":\"{what}\",\"order_id\":{n},\
         \"amount\":{}.25,\"currency\":\"CNY\",\"route\":\"/api/orders/{{id}}/pay\",\"status\":200,\
         \"trace_id\":\"{:032x}\",\"span_id\":\"{:016x}\",\"latency_ms\":{}}}",
        n % 900,
        u128::from(n) * 0x9e37_79b9_7f4a_7c15,
        n.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        n % 300
    )
}

pub(crate) const MESSAGE: &str = "081109 203615 148 dfs.DataNode$PacketResponder: PacketResponder 1 for block blk_38865049064139660 terminating after 3 retries over the channel to 10.250.19.102:50010, done.";
