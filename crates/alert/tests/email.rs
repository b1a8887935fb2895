//! Email through a server that speaks SMTP, over TLS too: what arrives, what is tried again, what is given up.
#![cfg(feature = "email")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use dogwatch_alert::{Rules, State};
use mailin::response::{self, Response};
use mailin::{Action, AuthMechanism, Handler, Session, SessionBuilder};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use support::{BOUND, fail, start};

/// One message that arrived, and for whom.
#[derive(Debug, Default, Clone)]
struct Mail {
    /// Who logged in.
    user: String,
    to: Vec<String>,
    text: String,
}

/// Answers each recipient with the next of these, then with yes.
#[derive(Clone)]
struct Post {
    answers: Arc<Mutex<Vec<Response>>>,
    mails: Sender<Mail>,
    mail: Mail,
}

impl Handler for Post {
    fn auth_plain(&mut self, _: &str, user: &str, password: &str) -> Response {
        self.mail.user = user.to_owned();
        match password == PASSWORD {
            true => response::AUTH_OK,
            false => response::INVALID_CREDENTIALS,
        }
    }

    fn rcpt(&mut self, to: &str) -> Response {
        let answer = self.answers.lock().unwrap().pop().unwrap_or(response::OK);
        if !answer.is_error {
            self.mail.to.push(to.to_owned());
        }
        answer
    }

    fn data(&mut self, line: &[u8]) -> std::io::Result<()> {
        self.mail.text.push_str(&String::from_utf8_lossy(line));
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        self.mails.send(std::mem::take(&mut self.mail)).unwrap();
        response::OK
    }
}

/// How a server speaks TLS.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Speaks {
    Clear,
    /// From the start.
    Tls,
    StartTls,
}

/// A server on a free port, one session at a time.
fn server(answers: &[Response]) -> (u16, Receiver<Mail>) {
    let (port, mails, _) = server_that(Speaks::Clear, answers);
    (port, mails)
}

/// The same, and its certificate for `localhost`, which it signed itself. Over TLS it takes mail only from somebody
/// who logged in.
fn server_that(speaks: Speaks, answers: &[Response]) -> (u16, Receiver<Mail>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (mails, arrived) = channel();
    let post = Post {
        answers: Arc::new(Mutex::new(answers.iter().rev().cloned().collect())),
        mails,
        mail: Mail::default(),
    };
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der());
    let provider = rustls::crypto::ring::default_provider();
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], PrivateKeyDer::Pkcs8(key))
        .unwrap();
    let config = Arc::new(config);
    std::thread::spawn(move || {
        loop {
            let (stream, peer) = listener.accept().unwrap();
            let mut builder = SessionBuilder::new("mail.example");
            if speaks != Speaks::Clear {
                builder.enable_start_tls().enable_auth(AuthMechanism::Plain);
            }
            let mut session = builder.build(peer.ip(), post.clone());
            let secure = || ServerConnection::new(config.clone()).unwrap();
            if speaks == Speaks::Tls {
                session.tls_active();
                talk(StreamOwned::new(secure(), stream), &mut session, true);
            } else if let Some(stream) = talk(stream, &mut session, true) {
                session.tls_active();
                talk(StreamOwned::new(secure(), stream), &mut session, false);
            }
        }
    });
    (port, arrived, signed.cert.pem())
}

/// Answers until the client goes; returns the stream if it shall be TLS from here on.
fn talk<S: Read + Write>(stream: S, session: &mut Session<Post>, greets: bool) -> Option<S> {
    let mut lines = BufReader::new(stream);
    if greets {
        // A client that does not trust the certificate has gone.
        session.greeting().write_to(lines.get_mut()).ok()?;
        lines.get_mut().flush().ok()?;
    }
    let mut line = Vec::new();
    while lines
        .read_until(b'\n', &mut line)
        .is_ok_and(|read| read > 0)
    {
        let answer = session.process(&line);
        line.clear();
        if !matches!(answer.action, Action::NoReply) {
            // The client may have gone.
            let _ = answer.write_to(lines.get_mut());
            let _ = lines.get_mut().flush();
        }
        match answer.action {
            Action::Close => break,
            Action::UpgradeTls => return Some(lines.into_inner()),
            _ => {}
        }
    }
    None
}

fn rules(port: u16) -> String {
    format!(
        "notifiers: {{mail: {{type: email, server: 'smtp://127.0.0.1:{port}', from: 'Shop <shop@a.example>', to: [duty@b.example, 老板 <boss@b.example>]}}}}\n\
         rules: [{{name: 支付失败, pattern: 支付, threshold: 1/100ms, resolve_after: 1ms, action: mail}}]"
    )
}

fn header<'a>(mail: &'a Mail, name: &str) -> &'a str {
    let line = mail.text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("{name} in {}", mail.text))
}

#[test]
fn firing_and_resolved_arrive_as_one_thread_though_the_server_was_busy() {
    let (port, mails) = server(&[response::OUT_OF_SPACE]);
    let (layer, guard, told) = start(&rules(port));
    fail(layer, 1);
    let resolved = guard
        .alerts()
        .wait(BOUND, |rules| rules[0].state == State::Resolved);
    assert!(resolved);
    guard.alerts().close(BOUND).unwrap();
    let told = told.recv_timeout(BOUND).unwrap();
    let again = "cannot send an alert of `支付失败` to `mail`, it is tried again: \
                 the alert could not be handed over for now: `127.0.0.1` answered 452";
    assert_eq!(told, again);
    assert_eq!(guard.alerts().deliveries().sent, 2);
    let mails: Vec<Mail> = mails.try_iter().collect();
    // At the end both go together, should the first still wait.
    let both = ["[FIRING", "[RESOLVED"];
    for mail in &mails {
        assert_eq!(mail.to, ["duty@b.example", "boss@b.example"]);
        assert_eq!(header(mail, "Auto-Submitted: "), "auto-generated");
        assert_eq!(header(mail, "From: "), "Shop <shop@a.example>");
    }
    match &mails[..] {
        [firing, resolved] => {
            assert_eq!(
                header(firing, "References: "),
                header(resolved, "References: ")
            );
            assert_ne!(
                header(firing, "Message-ID: "),
                header(resolved, "Message-ID: ")
            );
        }
        [_digest] => {}
        other => panic!("{both:?}: {other:#?}"),
    }
}

#[test]
fn a_mailbox_that_is_not_there_is_given_up_at_once() {
    let (port, mails) = server(&[response::NO_MAILBOX]);
    let (layer, guard, told) = start(&rules(port));
    fail(layer, 1);
    let want = "cannot send an alert of `支付失败` to `mail`, it is given up: \
                the alert was refused: `127.0.0.1` answered 550";
    assert_eq!(told.recv_timeout(BOUND).unwrap(), want);
    guard.alerts().close(BOUND).unwrap();
    let counts = guard.alerts().deliveries();
    assert_eq!((counts.sent, counts.failed), (0, 1));
    assert!(mails.try_recv().is_err());
}

#[test]
fn a_server_that_is_not_there_is_tried_again_and_its_password_shown_nowhere() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let yaml = rules(port).replace("smtp://", "smtp://u:s3cret@");
    let shown = format!("{:?}", Rules::parse(&yaml).unwrap());
    assert!(!shown.contains("s3cret"), "{shown}");
    let (layer, guard, told) = start(&yaml);
    fail(layer, 1);
    let told = told.recv_timeout(BOUND).unwrap();
    assert!(told.contains("it is tried again"), "{told}");
    assert!(
        told.contains("cannot send mail through `127.0.0.1`: "),
        "{told}"
    );
    assert!(!told.contains("s3cret"), "{told}");
    assert!(
        guard
            .alerts()
            .close(std::time::Duration::from_millis(100))
            .is_err()
    );
}

/// The rules, with a server that speaks TLS and wants to know who comes.
fn secure_rules(speaks: Speaks, port: u16, more: &str) -> String {
    let server = match speaks {
        Speaks::StartTls => format!("smtp://localhost:{port}?tls=required"),
        _ => format!("smtps://localhost:{port}"),
    };
    let plain = format!("server: 'smtp://127.0.0.1:{port}'");
    rules(port).replace(&plain, &format!("server: '{server}', {more}"))
}

#[test]
fn over_tls_from_the_start_or_after_starttls_an_authority_of_ones_own_is_trusted_and_a_login_made()
{
    for speaks in [Speaks::Tls, Speaks::StartTls] {
        let (port, mails, certificate) = server_that(speaks, &[]);
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            format!("${{file:{}}}", path.display())
        };
        let (ca, password) = (file("ca.pem", &certificate), file("password", PASSWORD));
        let more = format!("user: shop, password: '{password}', ca: '{ca}'");
        let (layer, guard, told) = start(&secure_rules(speaks, port, &more));
        fail(layer, 1);
        let mail = mails.recv_timeout(BOUND).unwrap();
        assert_eq!((&*mail.user, mail.to.len()), ("shop", 2), "{speaks:?}");
        guard.alerts().close(BOUND).unwrap();
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [""; 0], "{speaks:?}");
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_one_clear_error_and_no_mail() {
    for speaks in [Speaks::Tls, Speaks::StartTls] {
        let (port, mails, _) = server_that(speaks, &[]);
        let more = format!("user: shop, password: '{PASSWORD}'");
        let (layer, guard, told) = start(&secure_rules(speaks, port, &more));
        fail(layer, 1);
        let want = "cannot send an alert of `支付失败` to `mail`, it is tried again: \
                    the alert could not be handed over for now: cannot send mail through `localhost`: \
                    invalid peer certificate: UnknownIssuer; an authority of your own is named by `ca`";
        assert_eq!(told.recv_timeout(BOUND).unwrap(), want, "{speaks:?}");
        let close = guard.alerts().close(std::time::Duration::from_millis(100));
        assert!(close.is_err());
        assert!(mails.try_recv().is_err());
    }
}

#[test]
fn a_password_that_is_wrong_is_given_up_and_stands_in_no_error() {
    let (port, mails, certificate) = server_that(Speaks::Tls, &[]);
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    std::fs::write(&ca, certificate).unwrap();
    let more = format!(
        "user: shop, password: wr0ng, ca: '${{file:{}}}'",
        ca.display()
    );
    let yaml = secure_rules(Speaks::Tls, port, &more);
    let shown = format!("{:?}", Rules::parse(&yaml).unwrap());
    assert!(!shown.contains("wr0ng"), "{shown}");
    let (layer, guard, told) = start(&yaml);
    fail(layer, 1);
    let want = "cannot send an alert of `支付失败` to `mail`, it is given up: \
                the alert was refused: `localhost` answered 535";
    assert_eq!(told.recv_timeout(BOUND).unwrap(), want);
    guard.alerts().close(BOUND).unwrap();
    assert!(mails.try_recv().is_err());
}

#[test]
fn half_a_login_is_an_error_at_the_start() {
    let yaml = secure_rules(Speaks::Tls, 1, "password: s3cret");
    let error = Rules::parse(&yaml).unwrap_err().to_string();
    let want =
        "notifier `mail`: `password` alone logs nobody in; `user` and `password` go together";
    assert!(error.ends_with(want), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
}

/// What no URL holds as it is.
const PASSWORD: &str = "s3cret@/:%银行";
