//! Messengers over loopback: what is posted, what counts as arrived, what is tried again.
#![cfg(feature = "webhook")]

mod support;

use dogwatch_alert::{Rules, State};
use support::{BOUND, Request, fail, serve, server, start};

/// A rule that fires and resolves at once, and tells this notifier.
fn rules(notifier: &str) -> String {
    format!(
        "notifiers: {{m: {{{notifier}, timeout: 2s}}}}\n\
         rules: [{{name: 支付失败, pattern: 支付, threshold: 1/100ms, resolve_after: 1ms, action: m}}]"
    )
}

/// Each messenger by its settings at this port, the answers to one that is tried once again and to one that arrived,
/// and where it is asked.
const ALL: &[(&str, [&str; 2], &str)] = &[
    (
        "type: slack, url: 'http://127.0.0.1:PORT/services/s3cret'",
        ["429 Busy\r\nretry-after: 0|", "200 OK|ok"],
        "POST /services/s3cret ",
    ),
    (
        "type: dingtalk, url: 'http://127.0.0.1:PORT/send?access_token=s3cret', secret: s3cret",
        ["503 Busy\r\nretry-after: 0|", r#"200 OK|{"errcode":0}"#],
        "POST /send?access_token=s3cret&timestamp=",
    ),
    (
        "type: feishu, url: 'http://127.0.0.1:PORT/hook/s3cret', secret: s3cret",
        ["429 Busy\r\nretry-after: 0|", r#"200 OK|{"code":0}"#],
        "POST /hook/s3cret ",
    ),
    (
        "type: wecom, url: 'http://127.0.0.1:PORT/send?key=s3cret'",
        ["503 Busy\r\nretry-after: 0|", r#"200 OK|{"errcode":0}"#],
        "POST /send?key=s3cret ",
    ),
    (
        "type: pagerduty, server: 'http://127.0.0.1:PORT', routing_key: s3cret",
        ["429 Busy\r\nretry-after: 0|", "202 Accepted|{}"],
        "POST /v2/enqueue ",
    ),
    (
        "type: teams, url: 'http://127.0.0.1:PORT/workflows/s3cret'",
        ["429 Busy\r\nretry-after: 0|", "202 Accepted|"],
        "POST /workflows/s3cret ",
    ),
    (
        "type: telegram, server: 'http://127.0.0.1:PORT', token: s3cret, chat: '-5'",
        [
            r#"429 Busy|{"ok":false,"parameters":{"retry_after":0}}"#,
            r#"200 OK|{"ok":true}"#,
        ],
        "POST /bots3cret/sendMessage ",
    ),
];

#[test]
fn firing_is_tried_until_it_arrived_and_then_resolved_follows() {
    for (settings, [busy, arrived], asked) in ALL {
        let answer = |at: usize, _: &Request| Some(if at == 0 { *busy } else { *arrived });
        let (port, requests) = serve(answer);
        let yaml = rules(&settings.replace("PORT", &port.to_string()));
        let shown = format!("{:?}", Rules::parse(&yaml).unwrap());
        assert!(!shown.contains("s3cret"), "{shown}");
        let (layer, guard, told) = start(&yaml);
        fail(layer, 1);
        let resolved = guard
            .alerts()
            .wait(BOUND, |rules| rules[0].state == State::Resolved);
        assert!(resolved, "{settings}");
        guard.alerts().close(BOUND).unwrap();
        // Where calls are few, the second try takes the end along.
        let posts: Vec<Request> = requests.try_iter().collect();
        assert!((2..=3).contains(&posts.len()), "{settings}: {posts:#?}");
        for post in &posts {
            assert!(post.head.starts_with(asked), "{}", post.head);
            let body = post.json().to_string();
            assert!(body.contains("支付失败"), "{body}");
        }
        let last = posts[posts.len() - 1].json().to_string().to_lowercase();
        assert!(last.contains("resolve"), "{last}");
        assert_eq!(guard.alerts().deliveries().sent, 2, "{settings}");
        let told = told.recv_timeout(BOUND).unwrap();
        let again = "cannot send an alert of `支付失败` to `m`, it is tried again: ";
        assert!(
            told.starts_with(again) && !told.contains("s3cret"),
            "{told}"
        );
    }
}

#[test]
fn a_200_that_says_no_is_no_and_is_given_up_with_its_reason() {
    let no: &[(&str, &'static [&'static str], &str)] = &[
        (
            "type: dingtalk, url: 'http://127.0.0.1:PORT/s3cret'",
            &[r#"200 OK|{"errcode":310000,"errmsg":"s3cret"}"#],
            "errcode 310000: look at the robot's secret, its key words and addresses, and the clock",
        ),
        (
            "type: feishu, url: 'http://127.0.0.1:PORT/s3cret'",
            &[r#"200 OK|{"code":19024,"msg":"s3cret"}"#],
            "code 19024: the bot's key words are missing",
        ),
        (
            "type: wecom, url: 'http://127.0.0.1:PORT/s3cret'",
            &[r#"200 OK|{"errcode":93000,"errmsg":"s3cret"}"#],
            "errcode 93000: look at the robot's key",
        ),
        (
            "type: slack, url: 'http://127.0.0.1:PORT/s3cret'",
            &["200 OK|no_s3cret"],
            "no `ok`",
        ),
    ];
    for (settings, answers, why) in no {
        let (port, requests) = server(answers);
        let (layer, guard, told) = start(&rules(&settings.replace("PORT", &port.to_string())));
        fail(layer, 1);
        requests.recv_timeout(BOUND).unwrap();
        let want = format!(
            "cannot send an alert of `支付失败` to `m`, it is given up: the alert was refused: \
             `127.0.0.1` answered 200: {why}"
        );
        assert_eq!(told.recv_timeout(BOUND).unwrap(), want);
        guard.alerts().close(BOUND).unwrap();
        let counts = guard.alerts().deliveries();
        // Nobody hears of the end of what they have not heard of.
        assert_eq!((counts.sent, counts.failed), (0, 1));
    }
}

#[test]
fn a_storm_is_one_message_and_one_digest_within_the_robots_pace() {
    let (port, requests) = serve(|_, _| Some(r#"200 OK|{"errcode":0}"#));
    let mut yaml =
        format!("notifiers: {{m: {{type: wecom, url: 'http://127.0.0.1:{port}/'}}}}\nrules:\n");
    for rule in 0..60 {
        yaml += &format!("- {{name: r{rule}, pattern: 支付, threshold: 1, action: m}}\n");
    }
    let (layer, guard, _told) = start(&yaml);
    fail(layer, 1_000);
    let all = guard.alerts().wait(BOUND, |rules| {
        rules.iter().all(|rule| rule.state == State::Firing)
    });
    assert!(all);
    guard.alerts().close(BOUND).unwrap();
    assert_eq!(guard.alerts().deliveries().sent, 60);
    let text = |request: &Request| {
        let body = request.json();
        body["markdown"]["content"].as_str().unwrap().to_owned()
    };
    let texts: Vec<String> = requests.try_iter().map(|request| text(&request)).collect();
    // The 18th of a minute takes along what waits; what comes later still, the end.
    assert!((2..=19).contains(&texts.len()), "{texts:#?}");
    assert!(texts.concat().contains(" FIRING］**\n"), "{texts:#?}");
    let told = texts.concat().matches("fires: 1 matching events").count();
    assert_eq!(told, 60, "{texts:#?}");
}
