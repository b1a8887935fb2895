//! A panic hook can tell a caught panic from one of the application. Alone: the hook is global.

mod support;

use std::fmt;
use std::sync::Mutex;
use support::logged;
use tracing::info;

struct Panics;

impl fmt::Display for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("formatting");
    }
}

#[test]
fn the_hook_sees_which_panic_is_caught() {
    static SEEN: Mutex<Vec<(String, bool)>> = Mutex::new(Vec::new());
    std::panic::set_hook(Box::new(|info| {
        let what = info.payload().downcast_ref::<&str>().unwrap().to_string();
        SEEN.lock()
            .unwrap()
            .push((what, dogwatch_json::catching_panic()));
    }));
    let application = std::panic::catch_unwind(|| {
        logged(|| {
            info!(a = %Panics, "{}", Panics);
            std::panic::panic_any("application");
        })
    });
    let _ = std::panic::take_hook();
    assert!(application.is_err());
    assert_eq!(
        *SEEN.lock().unwrap(),
        [
            ("formatting".to_owned(), true),
            ("formatting".to_owned(), true),
            ("application".to_owned(), false)
        ]
    );
}
