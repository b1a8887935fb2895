//! Email through a server that speaks SMTP: what arrives, what is tried again, what is given up.
#![cfg(feature = "email")]

mod support;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use dogwatch_alert::{Rules, State};
use mailin::response::{self, Response};
use mailin::{Action, Handler, SessionBuilder};
use support::{BOUND, fail, start};

/// One message that arrived, and for whom.
#[derive(Debug, Default, Clone)]
struct Mail {
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

/// A server on a free port, one session at a time.
fn server(answers: &[Response]) -> (u16, Receiver<Mail>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (mails, arrived) = channel();
    let post = Post {
        answers: Arc::new(Mutex::new(answers.iter().rev().cloned().collect())),
        mails,
        mail: Mail::default(),
    };
    std::thread::spawn(move || {
        loop {
            let (mut stream, peer) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            let mut session = SessionBuilder::new("mail.example").build(peer.ip(), post.clone());
            session.greeting().write_to(&mut stream).unwrap();
            let mut line = Vec::new();
            while lines
                .read_until(b'\n', &mut line)
                .is_ok_and(|read| read > 0)
            {
                let answer = session.process(&line);
                line.clear();
                if matches!(answer.action, Action::Reply | Action::Close) {
                    // The client may have gone.
                    let _ = answer.write_to(&mut stream);
                }
                if matches!(answer.action, Action::Close) {
                    break;
                }
            }
        }
    });
    (port, arrived)
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
