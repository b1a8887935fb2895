//! What the child process of each case does.

use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use dogwatch::Config;

/// Lines that a child logs before it ends, its start line not counted.
pub(crate) const LINES: usize = 5_000;

const LONG: Duration = Duration::from_secs(30);

pub(crate) fn run(case: &str) -> ExitCode {
    match case {
        "close" => {
            let log = dogwatch::init().expect("starts");
            say();
            log.close(LONG).expect("all is written");
        }
        #[cfg(target_os = "linux")]
        "abort with a ring" => {
            let _log = Config::from_env()
                .crash_ring(dogwatch::CrashRing::new())
                .init()
                .expect("starts");
            say();
            std::process::abort();
        }
        "degraded" => {
            let log = Config::from_env().degraded(true).on_error(|_| {});
            let log = log.init().expect("starts without its file");
            tracing::info!("one line");
            log.close(LONG).expect("all is written");
        }
        "file options" => {
            let log = Config::from_env()
                .file_zone("Asia/Shanghai")
                .file_mode(0o600)
                .fsync(dogwatch::Fsync::OnRoll)
                .fsync_at(tracing::Level::ERROR)
                .symlink("latest")
                .when_locked(dogwatch::WhenLocked::Suffix)
                .fallback("elsewhere/shop.log")
                .held(|_| false)
                .on_close(|path| println!("closed {}", path.display()))
                .roll(dogwatch::Roll::size(1))
                .compress(dogwatch::Compress::None)
                .init()
                .expect("starts");
            tracing::error!("one line");
            log.close(LONG).expect("all is written");
        }
        #[cfg(unix)]
        "reopen" => reopen(),
        "drop" => {
            let log = dogwatch::init().expect("starts");
            say();
            drop(log);
        }
        "forget" => {
            std::mem::forget(dogwatch::init().expect("starts"));
            say();
        }
        "exit" => {
            let _log = dogwatch::init().expect("starts");
            say();
            std::process::exit(3);
        }
        "exit sampled" => {
            let sample = dogwatch::Sample::first(1).interval(Duration::from_secs(1 << 30));
            let _log = Config::from_env().sample(sample).init().expect("starts");
            say();
            std::process::exit(3);
        }
        "exit in a thread" => {
            let _log = dogwatch::init().expect("starts");
            say();
            std::thread::spawn(|| std::process::exit(3))
                .join()
                .expect("never returns");
        }
        "exit in on_error" => exit_in_on_error(),
        "panic" => {
            let _log = dogwatch::init().expect("starts");
            say();
            panic!("数据库没了");
        }
        "graceful" => graceful(),
        "twice" => {
            let log = dogwatch::init().expect("starts");
            return told(dogwatch::init().map(|_| ()), log);
        }
        "start" => match dogwatch::init() {
            Ok(log) => {
                tracing::info!("one line");
                log.close(LONG).expect("all is written");
            }
            Err(error) => {
                println!("{error:?}");
                return ExitCode::from(7);
            }
        },
        "request" => request(),
        "levels" => {
            let _log = dogwatch::init().expect("starts");
            println!("{}", tracing::level_filters::LevelFilter::current());
        }
        other => panic!("no case is called `{other}`"),
    }
    ExitCode::SUCCESS
}

fn request() {
    use axum::{Router, body::Body, http::Request, routing::get};
    use tower::util::ServiceExt;
    let log = dogwatch::init().expect("starts");
    let app = Router::new()
        .route("/", get(async || tracing::info!("inside")))
        .layer(log.request_layer());
    let asked = app.oneshot(Request::new(Body::empty()));
    let runtime = tokio::runtime::Runtime::new().expect("starts");
    runtime.block_on(asked).expect("axum never fails");
    log.close(LONG).expect("all is written");
}

/// Logs each line that it reads, and answers when it is written.
#[cfg(unix)]
fn reopen() {
    let log = dogwatch::init().expect("starts");
    for word in std::io::stdin().lines().map_while(Result::ok) {
        tracing::info!(word);
        log.flush(LONG).expect("it is written");
        println!("written");
    }
}

fn say() {
    for n in 0..LINES {
        tracing::info!(n, "第 {n} 行");
    }
}

fn told(second: Result<(), dogwatch::Error>, first: dogwatch::Guard) -> ExitCode {
    let error = second.expect_err("the second start is refused");
    tracing::info!("the first still logs");
    first.close(LONG).expect("all is written");
    println!("{error:?}");
    ExitCode::from(if error.is_started_twice() { 7 } else { 8 })
}

/// The parent gives a stdout that fails each write, so that the log has a failure to tell.
fn exit_in_on_error() {
    let (told, wait) = mpsc::channel();
    let _log = Config::prod()
        .stdout(true)
        .on_error(move |_| {
            if told.send(()).is_ok() {
                std::process::exit(3);
            }
        })
        .init()
        .expect("starts");
    say();
    wait.recv_timeout(LONG).expect("the failure is told");
    // The exit is under way on another thread.
    std::thread::park_timeout(LONG);
}

fn graceful() {
    let runtime = tokio::runtime::Runtime::new().expect("starts");
    let log = dogwatch::init().expect("starts");
    runtime.block_on(async {
        let app = axum::Router::new();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        say();
        let stop = async {
            let stopped = std::pin::pin!(dogwatch::stopped());
            // The handlers stand once the future was polled: then the parent may send its signal.
            let ready = async { println!("ready") };
            tokio::join!(biased; stopped, ready);
        };
        axum::serve(listener, app)
            .with_graceful_shutdown(stop)
            .await
            .expect("serves");
    });
    tracing::info!("stopped");
    drop(log);
}
