//! Values that are objects and lists, whatever they hold and however their `Serialize` behaves.
#![cfg(feature = "serde")]

mod support;

use dogwatch_json::{ErrorValue, JsonLayer, Redact, SpanStyle, Treatment, json};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde::ser::{Error as _, SerializeMap, SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json as value};
use std::collections::BTreeMap;
use support::{Sink, layer, logged};
use tracing::{info, info_span};
use tracing_subscriber::prelude::*;

fn with(options: impl FnOnce(JsonLayer<Sink>) -> JsonLayer<Sink>, run: impl FnOnce()) -> Sink {
    let sink = Sink::default();
    let layer = options(layer(&sink));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), run);
    sink
}

#[derive(Serialize)]
struct Order<'a> {
    id: u64,
    note: &'a str,
    items: Vec<(&'a str, f64)>,
    state: State,
    unit: (),
    raw: Raw<'a>,
}

#[derive(Serialize)]
enum State {
    Open,
    Paid { by: &'static str },
    Sent(u8, char),
    Wrapped(Option<bool>),
}

struct Raw<'a>(&'a [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

#[test]
fn a_value_is_written_as_it_is_and_as_text_to_others() {
    let states = [
        State::Open,
        State::Paid { by: "微信" },
        State::Sent(7, '\u{202e}'),
        State::Wrapped(None),
    ];
    let expected = [
        value!("Open"),
        value!({"Paid": {"by": "微信"}}),
        value!({"Sent": [7, "\u{202e}"]}),
        value!({"Wrapped": null}),
    ];
    for (state, expected) in states.into_iter().zip(expected) {
        let order = Order {
            id: u64::MAX,
            note: "a \"b\"\n",
            items: vec![("tea", 1.5), ("nothing", f64::NAN)],
            state,
            unit: (),
            raw: Raw(&[0, 255]),
        };
        let expected = value!({
            "id": u64::MAX, "note": "a \"b\"\n", "items": [["tea", 1.5], ["nothing", null]],
            "state": expected, "unit": null, "raw": "00ff",
        });
        let sink = logged(|| {
            let _span = info_span!("s", order = json(&order)).entered();
            info!(
                other = json(&order),
                list = json(&[1, 2]),
                one = json("text"),
                "m"
            );
        });
        let line = sink.line();
        assert_eq!((&line["order"], &line["other"]), (&expected, &expected));
        assert_eq!(
            (&line["list"], &line["one"]),
            (&value!([1, 2]), &value!("text"))
        );
        let text: Value = serde_json::from_str(&format!("{:?}", json(&order))).unwrap();
        assert_eq!(text, expected);
        assert!(!sink.texts()[0].contains('\u{202e}'));
    }
}

#[test]
fn keys_that_are_no_strings_are_written_as_some_and_wide_numbers_are_strings() {
    let wide = BTreeMap::from([((1_u8, 'x'), i128::MIN)]);
    let numbers = BTreeMap::from([(-1, 1), (2, 2)]);
    let truths = BTreeMap::from([(true, u128::MAX)]);
    let line = logged(|| {
        info!(
            wide = json(&wide),
            numbers = json(&numbers),
            truths = json(&truths),
            "m"
        );
    })
    .line();
    assert_eq!(line["wide"], value!({"[1,\"x\"]": i128::MIN.to_string()}));
    assert_eq!(line["numbers"], value!({"-1": 1, "2": 2}));
    assert_eq!(line["truths"], value!({"true": u128::MAX.to_string()}));
}

/// A map as its `Serialize` likes it: keys twice, values that fail or panic or never come.
struct Odd(Vec<(String, Part)>);

#[derive(Clone, Debug)]
enum Part {
    Is(Value),
    Fails,
    Panics,
    NeverComes,
    /// Its error is swallowed by the value around it.
    FailsUnseen,
    Inner(Vec<(String, Part)>),
}

impl Serialize for Odd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, part) in &self.0 {
            map.serialize_key(key)?;
            match part {
                Part::NeverComes => {}
                Part::FailsUnseen => drop(map.serialize_value(&Part::Fails)),
                part => map.serialize_value(part)?,
            }
        }
        map.end()
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Part::Is(value) => value.serialize(serializer),
            Part::Panics => std::panic::resume_unwind(Box::new(())),
            Part::Fails | Part::NeverComes | Part::FailsUnseen => Err(S::Error::custom("no")),
            Part::Inner(parts) => Odd(parts.clone()).serialize(serializer),
        }
    }
}

fn odd(parts: Vec<(&str, Part)>) -> Odd {
    Odd(parts
        .into_iter()
        .map(|(key, part)| (key.to_owned(), part))
        .collect())
}

fn of_order(value: &impl Serialize) -> Value {
    logged(|| info!(order = json(value), after = 1, "m")).line()["order"].clone()
}

#[test]
fn a_key_that_comes_twice_gets_a_mark() {
    let one = |n| Part::Is(value!(n));
    let twice = odd(vec![
        ("a", one(1)),
        ("a", one(2)),
        ("a_", one(3)),
        ("b", one(4)),
        ("a", one(5)),
    ]);
    assert_eq!(
        of_order(&twice),
        value!({"a": 1, "a_": 2, "a__": 3, "b": 4, "a___": 5})
    );
}

#[test]
fn what_fails_or_panics_keeps_what_came_before() {
    let one = || ("a", Part::Is(value!([1])));
    for (part, remark) in [
        (Part::Fails, "<formatting failed>"),
        (Part::Panics, "<formatting panicked>"),
    ] {
        let value = odd(vec![one(), ("b", part.clone()), ("c", Part::Is(value!(1)))]);
        assert_eq!(of_order(&value), value!({"a": [1], "b": remark}));
        let inner = odd(vec![
            one(),
            ("b", Part::Inner(vec![("x".to_owned(), part.clone())])),
        ]);
        assert_eq!(of_order(&inner), value!({"a": [1], "b": {"x": remark}}));
        assert_eq!(of_order(&part), value!(remark));
    }
    let absent = odd(vec![
        ("z", Part::NeverComes),
        one(),
        ("b", Part::NeverComes),
        ("c", Part::Is(value!(1))),
    ]);
    assert_eq!(of_order(&absent), value!({"a": [1], "c": 1}));
    let unseen = odd(vec![
        ("b", Part::FailsUnseen),
        one(),
        ("c", Part::FailsUnseen),
    ]);
    assert_eq!(of_order(&unseen), value!({"a": [1]}));
}

#[test]
fn a_value_without_a_key_is_a_failure() {
    struct Keyless;
    impl Serialize for Keyless {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            map.serialize_value(&1)?;
            map.end()
        }
    }
    assert_eq!(of_order(&Keyless), value!({}));
}

#[test]
fn a_value_that_logs_gets_its_own_line_first() {
    struct Logs;
    impl Serialize for Logs {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut list = serializer.serialize_seq(None)?;
            list.serialize_element(&1)?;
            info!(inner = json(&value!({"a": 1})), "from inside");
            list.serialize_element(&2)?;
            list.end()
        }
    }
    // Under a scoped default `tracing` does not pass on what is logged inside of an event.
    let line = logged(|| info!(order = json(&Logs), "m")).line();
    assert_eq!(line["order"], value!([1, 2]));
}

#[test]
fn secrets_are_hidden_by_their_path_wherever_they_stand() {
    let redact = || {
        Redact::secrets()
            .path("order.card.number", Treatment::Drop)
            .path("order.items.*.sku", Treatment::Mask)
            .key("email", Treatment::Hash([1; 16]))
            .show("order.page.token")
    };
    let order = value!({
        "password": {"never": "hunter2"},
        "card": {"number": "hunter2", "kind": "gold", "number_of_uses": 3},
        "items": [{"x": {"sku": "hunter2", "n": 1}}, {"x": {"sku": ["hunter2"]}}],
        "page": {"token": "shown"},
        "token": "hunter2",
        "email": "a@b", "inner": {"email": {"user": "hunter2"}},
        "phone": null,
    });
    let sink = with(
        |layer| layer.redact(redact()),
        || {
            info!(
                order = json(&order),
                email = "a@b",
                token = json(&order),
                "m"
            );
            info_span!("s", order = json(&order)).in_scope(|| info!("m"));
            info!(cookie = json(&order), r#type = json(&order), "m");
        },
    );
    for text in sink.texts() {
        assert!(
            !text.contains("hunter2") || text.contains("\"type\""),
            "{text}"
        );
    }
    let lines = sink.lines();
    let hash = lines[0]["email"].clone();
    assert!(hash.as_str().unwrap().starts_with("hash:"));
    let object_hash = lines[0]["order"]["inner"]["email"].clone();
    assert!(object_hash.as_str().unwrap().starts_with("hash:") && object_hash != hash);
    let shown = value!({
        "password": "***",
        "card": {"kind": "gold", "number_of_uses": 3},
        "items": [{"x": {"sku": "***", "n": 1}}, {"x": {"sku": "***"}}],
        "page": {"token": "shown"},
        "token": "***",
        "email": hash, "inner": {"email": object_hash},
        "phone": "***",
    });
    assert_eq!((&lines[0]["order"], &lines[1]["order"]), (&shown, &shown));
    assert_eq!(
        (&lines[0]["token"], &lines[2]["cookie"]),
        (&value!("***"), &value!("***"))
    );
    // Under another name the paths of `order` do not fit; the secrets' names still do.
    assert_eq!(lines[2]["type"]["items"][0]["x"]["sku"], "hunter2");
    assert_eq!(lines[2]["type"]["card"]["number"], "***");
    assert_eq!(lines[2]["type"]["password"], "***");
}

#[test]
fn a_secret_is_not_even_serialized_unless_it_is_hashed() {
    struct Never;
    impl Serialize for Never {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            unreachable!("a masked value was serialized")
        }
    }
    #[derive(Serialize)]
    struct Login {
        user: u8,
        password: Never,
        state: Secret,
    }
    #[derive(Serialize)]
    enum Secret {
        Token { id: u64 },
    }
    let login = Login {
        user: 1,
        password: Never,
        state: Secret::Token { id: 4242 },
    };
    let redact = Redact::secrets();
    let run = || info!(login = json(&login), "m");
    let shown = value!({"user": 1, "password": "***", "state": {"Token": "***"}});
    let line = with(|layer| layer.redact(redact), run).line();
    assert_eq!(line["login"], shown);
    let redact = Redact::secrets().key("token", Treatment::Hash([1; 16]));
    let line = with(|layer| layer.redact(redact), run).line();
    assert_eq!(line["login"], shown);
}

#[test]
fn what_is_too_deep_is_left_out_and_costs_no_stack() {
    let mut deep = value!(1);
    for _ in 0..5000 {
        deep = Value::Array(vec![deep]);
    }
    let sink = logged(|| {
        info!(order = json(&deep), "m");
        let text = format!("{:?}", json(&deep));
        assert_eq!(text, "[".repeat(32) + "\"<too deep>\"" + &"]".repeat(32));
    });
    let line = sink.line();
    assert_eq!(line["truncated"], value!(["order"]));
    // As it came: a value's own `Drop` would recurse as deep.
    while let Value::Array(mut inner) = deep {
        deep = inner.pop().unwrap();
    }
}

#[test]
fn an_object_has_a_bounded_number_of_keys() {
    let wide: BTreeMap<String, u8> = (0..1500).map(|n| (format!("key{n:04}"), 1)).collect();
    let line = with(
        |layer| layer.max_line_bytes(1 << 20).max_field_bytes(1 << 20),
        || info!(order = json(&wide), "m"),
    )
    .line();
    assert_eq!(line["order"].as_object().unwrap().len(), 1000);
    assert_eq!(line["truncated"], value!(["order"]));
    let twins = Odd(vec![("a".to_owned(), Part::Is(value!(1))); 100]);
    assert_eq!(of_order(&twins).as_object().unwrap().len(), 16);
}

#[test]
fn where_a_text_is_wanted_it_is_a_text_without_its_secrets() {
    let order = value!({"a": 1});
    let secret = value!({"token": "hunter2"});
    let redact = |layer: JsonLayer<Sink>| layer.redact(Redact::secrets());
    let line = with(redact, || {
        info!(
            user_id = json(&secret),
            error = json(&secret),
            message = json(&secret)
        );
    })
    .line();
    let hidden = value!("{\"token\":\"***\"}");
    assert_eq!((&line["user_id"], &line["message"]), (&hidden, &hidden));
    assert_eq!(line["error"], value!({"message": hidden, "causes": []}));
    let line = logged(|| {
        info!(
            user_id = json(&order), error = json(&order), some = ?Some(json(&order)),
            pretty = ?format_args!("{:#?}", json(&order)), text = format!("{:?}", json(&order)), "m"
        );
    })
    .line();
    assert_eq!(line["user_id"], "{\"a\":1}");
    assert_eq!(
        line["error"],
        value!({"message": "{\"a\":1}", "causes": []})
    );
    assert_eq!(line["some"], "Some({\"a\":1})");
    assert_eq!(
        (&line["pretty"], &line["text"]),
        (&value!({"a": 1}), &value!("{\"a\":1}"))
    );
}

#[test]
fn text_behind_a_value_makes_it_a_text_that_ends_where_the_value_was_cut() {
    let list = vec!["x".repeat(20); 20];
    let line = with(
        |layer| layer.max_field_bytes(200),
        || {
            info!(
                whole = ?format_args!("{:?}!", json(&[1])),
                cut = ?format_args!("{:?}!", json(&list)),
                "m"
            );
        },
    )
    .line();
    assert_eq!(line["whole"], "[1]!");
    let cut = line["cut"].as_str().unwrap();
    assert!(cut.starts_with("[\"xxx") && !cut.ends_with('!'), "{cut}");
    assert_eq!(line["truncated"], value!(["cut"]));
}

#[test]
fn other_layers_can_ask_for_what_stands_in_a_line() {
    let nested = Redact::secrets()
        .path("order.card.number", Treatment::Drop)
        .nested();
    let order = value!({"card": {"number": "hunter2", "kind": "gold"}, "otp": 1});
    let shown = value!({"card": {"kind": "gold"}, "otp": "***"});
    let text = shown.to_string();
    let failure = std::fmt::Error;
    for (key, value, expected) in [
        ("order", &json(&order) as &dyn std::fmt::Debug, Some(shown)),
        ("user_id", &json(&value!(["a"])), Some(value!("[\"a\"]"))),
        (
            "error",
            &json(&value!(1)),
            Some(value!({"message": "1", "causes": []})),
        ),
        ("otp", &json(&order), None),
        ("order", &order, None),
        ("order", &Some(json(&order)), None),
        ("order", &"", None),
        ("order", &Never, None),
        (
            "error",
            &ErrorValue::of_dyn(&failure),
            Some(value!({"message": failure.to_string(), "causes": []})),
        ),
        ("user_id", &ErrorValue::of_dyn(&failure), None),
    ] {
        let told = nested(key, value).map(|json| serde_json::from_str::<Value>(&json).unwrap());
        assert_eq!(told, expected, "{key} {text}");
    }
}

struct Never;

impl std::fmt::Debug for Never {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::panic::resume_unwind(Box::new(()))
    }
}

#[test]
fn a_number_of_arbitrary_precision_is_a_number() {
    struct Number(&'static str);
    impl Serialize for Number {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let name = "$serde_json::private::Number";
            let mut number = serializer.serialize_struct(name, 1)?;
            number.serialize_field(name, self.0)?;
            number.end()
        }
    }
    let sink = logged(|| {
        info!(
            a = json(&[Number("1.50"), Number("\"x\""), Number("1,2")]),
            "m"
        )
    });
    assert!(
        sink.texts()[0].contains(r#""a":[1.50,"\"x\"","1,2"]"#),
        "{:?}",
        sink.texts()
    );
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(any_key(), inner, 0..6).prop_map(|map| Value::Object(Map::from_iter(map))),
        ]
    })
}

fn any_key() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c_.]{0,3}", any::<String>()]
}

fn any_part() -> impl Strategy<Value = Part> {
    let leaf = prop_oneof![
        6 => any_value().prop_map(Part::Is),
        1 => Just(Part::Fails),
        1 => Just(Part::Panics),
        1 => Just(Part::NeverComes),
        1 => Just(Part::FailsUnseen),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        vec((any_key(), inner), 0..6).prop_map(Part::Inner)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_value_is_read_back_as_it_was(given in any_value(), outer in any_value()) {
        let sink = with(|layer| layer.max_line_bytes(1 << 20).max_field_bytes(1 << 20), || {
            let _span = info_span!("s", outer = json(&outer)).entered();
            info!(given = json(&given), "m");
        });
        let line = sink.line();
        prop_assert_eq!(&line["given"], &given);
        prop_assert_eq!(&line["outer"], &outer);
        prop_assert!(!line.contains_key("truncated"));
        // What other layers are shown says the same.
        let text: Value = serde_json::from_str(&format!("{:?}", json(&given))).unwrap();
        prop_assert_eq!(text, given);
    }

    #[test]
    fn any_value_keeps_any_budget_and_every_line_is_valid(
        parts in vec(any_part(), 1..4),
        budget in 0_usize..5000,
        field_budget in 0_usize..300,
        style in prop::sample::select(vec![SpanStyle::Flat, SpanStyle::Object, SpanStyle::List]),
    ) {
        let redact = Redact::none().key("a", Treatment::Mask).key("b", Treatment::Hash([1; 16]))
            .path("order.*.c", Treatment::Drop);
        let options = |layer: JsonLayer<Sink>| {
            layer.max_line_bytes(budget).max_field_bytes(field_budget).redact(redact).spans(style)
        };
        let sink = with(options, || {
            let _span = info_span!("s", order = json(&parts)).entered();
            for part in &parts {
                info!(order = json(part), other = json(&parts), after = "x", "m");
            }
        });
        // `lines` refuses what is no JSON, and double keys at any depth.
        let lines = sink.lines();
        prop_assert_eq!(lines.len(), parts.len());
        for (line, text) in lines.iter().zip(sink.texts()) {
            prop_assert!(text.len() <= budget.max(2048), "{} of {}", text.len(), budget);
            prop_assert!(line.contains_key("order") || line.contains_key("truncated"));
            for key in ["order", "other"] {
                let long = line.get(key).is_some_and(|value| value.to_string().len() > 1000);
                prop_assert!(!long, "{}", text);
            }
        }
    }
}
