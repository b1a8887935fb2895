//! Sends alerts by email, firing and resolved in one thread.

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::{Error as SmtpError, SmtpTransportBuilder};
use lettre::{Message, SmtpTransport, Transport};

use crate::error::Error;
use crate::notify::http::DEFAULT_TIMEOUT;
use crate::notify::messenger::text::{Text, bytes, facts, html, plain, samples, title};
use crate::notify::webhook::message_id;
use crate::notify::{Notify, NotifyError};
use crate::{Alert, Pace};

/// Sends alerts by email over SMTP, as text and as HTML.
///
/// What an alert says when it fires and when it resolves is one thread (`References`), and no automatic answer comes
/// back (`Auto-Submitted`). At most ten messages a minute; what has to wait goes as one digest. A server that
/// refuses for good (5yz) is not asked again, all else is tried again for an hour.
///
/// ```
/// use dogwatch_alert::Email;
///
/// // Certificates are checked against Mozilla's roots; `smtp://host?tls=required` is STARTTLS.
/// let email = Email::new("smtps://user:s3cret@mail.example:465", "Shop <shop@mail.example>", ["duty@mail.example"])?;
/// assert_eq!(format!("{email:?}"), r#"Email { host: "mail.example", to: 1 }"#);
/// # Ok::<(), dogwatch_alert::Error>(())
/// ```
#[must_use = "a notifier does nothing until it is registered"]
pub struct Email {
    smtp: SmtpTransportBuilder,
    /// How TLS is spoken, if it is.
    tls: Option<fn(TlsParameters) -> Tls>,
    host: String,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Email {
    /// Through this server, from this address to these. `smtps://` is TLS from the start, `smtp://…?tls=required`
    /// STARTTLS, `smtp://` alone neither; user and password stand in the URL, percent-encoded, or come by
    /// [`credentials`](Self::credentials). Neither `Debug` nor an error shows more of it than the host.
    pub fn new<A: AsRef<str>>(
        server: &str,
        from: &str,
        to: impl IntoIterator<Item = A>,
    ) -> Result<Self, Error> {
        let broken =
            || Error::setup("cannot use the mail server's url: it is no smtp(s) url with a host");
        let smtp = SmtpTransport::from_url(server).map_err(|_| broken())?;
        let host = server.split_once("://").map_or("", |(_, rest)| rest);
        let host = host.split(['/', '?']).next().unwrap_or_default();
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let host = host
            .rsplit_once(':')
            .map_or(host, |(host, _)| host)
            .to_owned();
        let to: Vec<Mailbox> = to
            .into_iter()
            .map(|to| address(to.as_ref()))
            .collect::<Result<_, _>>()?;
        if to.is_empty() {
            return Err(Error::setup(format!(
                "cannot send mail through `{host}`: to nobody"
            )));
        }
        Ok(Self {
            smtp: smtp.timeout(Some(DEFAULT_TIMEOUT)),
            tls: spoken(server),
            host,
            from: address(from)?,
            to,
        })
    }

    /// The longest that the server may be silent. Default: 10 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.smtp = self.smtp.timeout(Some(timeout));
        self
    }

    /// Who logs in, and the password as it is: nothing is encoded. It goes before what the URL says. A server that
    /// refuses it (535) is not asked again.
    pub fn credentials(mut self, user: &str, password: &str) -> Self {
        let credentials = Credentials::new(user.to_owned(), password.to_owned());
        self.smtp = self.smtp.credentials(credentials);
        self
    }

    /// Trusts these certificates too, beside Mozilla's roots: those of the authority that signed the server's, in
    /// PEM. A text without one, or a server that is not asked for TLS, is an error.
    pub fn ca(mut self, pem: &str) -> Result<Self, Error> {
        let host = &self.host;
        let broken = |why| {
            Error::setup(format!(
                "cannot use the `ca` of mail through `{host}`: {why}"
            ))
        };
        let tls = self.tls.ok_or_else(|| {
            broken("its url asks for no TLS; take `smtps://`, or `smtp://…?tls=required`")
        })?;
        let no_certificate = "it holds no certificate in PEM";
        if !pem.contains("-----BEGIN CERTIFICATE-----") {
            return Err(broken(no_certificate));
        }
        let certificate = Certificate::from_pem(pem.as_bytes());
        let certificate = certificate.map_err(|error| broken(no_certificate).caused_by(error))?;
        let parameters = TlsParameters::builder(host.clone())
            .add_root_certificate(certificate)
            .build_rustls()
            .map_err(|error| broken("a certificate of it is broken").caused_by(error))?;
        self.smtp = self.smtp.tls(tls(parameters));
        Ok(self)
    }

    fn send(&self, alerts: &[Arc<Alert>]) -> Result<(), NotifyError> {
        let message = self.message(alerts).map_err(NotifyError::permanent)?;
        let sent = self.smtp.clone().build().send(&message);
        sent.map(drop).map_err(|error| self.judge(&error))
    }

    fn message(&self, alerts: &[Arc<Alert>]) -> Result<Message, lettre::error::Error> {
        let mut subject = Text::new(SUBJECT, bytes, plain);
        subject.push(&title(alerts).replace('\n', " "));
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(subject.finish())
            .date_now()
            // RFC 3834, 5.
            .raw_header(HeaderValue::new(automatic, "auto-generated".into()));
        for to in &self.to {
            message = message.to(to.clone());
        }
        message = match alerts {
            [only] => {
                let thread = self.id(thread(only));
                message
                    .message_id(Some(self.id(message_id(only))))
                    .in_reply_to(thread.clone())
                    .references(thread)
            }
            _ => message.message_id(None),
        };
        message.multipart(MultiPart::alternative_plain_html(
            text(alerts),
            page(alerts),
        ))
    }

    fn id(&self, name: String) -> String {
        format!("<{name}@{}>", self.from.email.domain())
    }

    fn judge(&self, error: &SmtpError) -> NotifyError {
        let host = &self.host;
        if let Some(code) = error.status() {
            let told = format!("`{host}` answered {code}");
            return match error.is_permanent() {
                true => NotifyError::permanent(told),
                false => NotifyError::retry(told),
            };
        }
        let why = match error.source() {
            _ if error.is_timeout() => "the time-out ran out".to_owned(),
            // Rustls words it so, whatever is wrong with it.
            Some(cause) if cause.to_string().contains("peer certificate") => {
                format!("{cause}; an authority of your own is named by `ca`")
            }
            Some(cause) => cause.to_string(),
            None => "the exchange failed".to_owned(),
        };
        NotifyError::retry(format!("cannot send mail through `{host}`: {why}"))
    }
}

impl Notify for Email {
    fn notify(&self, alert: &Alert) -> Result<(), NotifyError> {
        self.send(&[Arc::new(alert.clone())])
    }

    fn digest(&self, alerts: &[Arc<Alert>]) -> Result<(), NotifyError> {
        self.send(alerts)
    }

    fn pace(&self) -> Pace {
        Pace::unlimited().at_most(10, Duration::from_secs(60))
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Email")
            .field("host", &self.host)
            .field("to", &self.to.len())
            .finish()
    }
}

/// As lettre reads the URL.
fn spoken(server: &str) -> Option<fn(TlsParameters) -> Tls> {
    let query = server.split_once('?').map_or("", |(_, query)| query);
    let asks = |value: &str| query.split('&').any(|pair| pair == value);
    match server.split_once("://").map(|(scheme, _)| scheme) {
        Some("smtps") => Some(Tls::Wrapper),
        _ if asks("tls=required") => Some(Tls::Required),
        _ if asks("tls=opportunistic") => Some(Tls::Opportunistic),
        _ => None,
    }
}

fn address(text: &str) -> Result<Mailbox, Error> {
    text.parse().map_err(|error| {
        Error::setup(format!("cannot send mail to or from `{text}`")).caused_by(error)
    })
}

/// All that an alert says has this one above it.
fn thread(alert: &Alert) -> String {
    let fired = alert.fired_at.duration_since(std::time::UNIX_EPOCH);
    let micros = fired.unwrap_or_default().as_micros();
    format!("alert_{}_{micros}", alert.fingerprint())
}

fn text(alerts: &[Arc<Alert>]) -> String {
    let mut text = Text::new(BODY, bytes, plain);
    for (key, value) in facts(alerts) {
        text.push(&format!("{key}: {value}\n"));
    }
    for sample in samples(alerts) {
        text.push(&format!("\n{sample}\n"));
    }
    text.finish()
}

fn page(alerts: &[Arc<Alert>]) -> String {
    let mut text = Text::new(BODY, bytes, html);
    for (key, value) in facts(alerts) {
        text.between("<p>", "</p>\n", |text| {
            text.push(&format!("{key}: {value}"))
        });
    }
    for sample in samples(alerts) {
        text.between("<pre>", "</pre>\n", |text| text.push(sample));
    }
    text.finish()
}

/// A line of a header may have 998 (RFC 5322, 2.1.1); nobody reads more than this.
const SUBJECT: usize = 200;
/// Of the text and of the page; servers take far more.
const BODY: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::Email;
    use crate::State;
    use crate::queue::tests::alert;
    use std::sync::Arc;

    fn email() -> Email {
        Email::new(
            "smtp://u:s3cret@h:25",
            "Shop <shop@a.example>",
            ["duty@b.example"],
        )
        .unwrap()
    }

    /// The headers of a message, unfolded.
    fn headers(message: &lettre::Message) -> String {
        let text = String::from_utf8(message.formatted()).unwrap();
        text.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ")
    }

    #[test]
    fn firing_and_resolved_are_one_thread_and_two_messages() {
        let [firing, resolved] = [State::Firing, State::Resolved]
            .map(|state| headers(&email().message(&[alert("r", state)]).unwrap()));
        let header = |text: &str, name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("{name} in {text}"))
                .to_owned()
        };
        let thread = format!(
            ": <alert_{}_0@a.example>",
            alert("r", State::Firing).fingerprint()
        );
        for name in ["References", "In-Reply-To"] {
            assert_eq!(header(&firing, name), thread);
            assert_eq!(header(&resolved, name), thread);
        }
        assert_ne!(
            header(&firing, "Message-ID"),
            header(&resolved, "Message-ID")
        );
        assert_eq!(header(&firing, "Auto-Submitted"), ": auto-generated");
        assert_eq!(header(&resolved, "Subject"), ": [RESOLVED] r");
    }

    #[test]
    fn no_rule_adds_a_header_and_no_line_is_html() {
        let mut alert = alert("r\r\nBcc: x@evil.example", State::Firing);
        Arc::make_mut(&mut alert).samples = vec!["<script> & 支付".into()];
        let message = email().message(&[alert.clone()]).unwrap();
        assert!(
            !headers(&message).contains("\nBcc"),
            "{}",
            headers(&message)
        );
        assert!(super::page(&[alert.clone()]).contains("<pre>&lt;script&gt; &amp; 支付</pre>"));
        assert!(super::text(&[alert]).ends_with("\n<script> & 支付\n"));
    }

    #[test]
    fn a_setting_that_is_wrong_is_told_without_the_password() {
        let new = |server: &str, from: &str, to: &[&str]| {
            let error = Email::new(server, from, to).map(|_| ()).unwrap_err();
            error.to_string()
        };
        let url = "cannot use the mail server's url: it is no smtp(s) url with a host";
        assert_eq!(new("http://u:s3cret@h", "a@b.c", &["a@b.c"]), url);
        assert_eq!(new("s3cret", "a@b.c", &["a@b.c"]), url);
        assert_eq!(
            new("smtp://h", "nobody", &["a@b.c"]),
            "cannot send mail to or from `nobody`"
        );
        assert_eq!(
            new("smtp://u:s3cret@h", "a@b.c", &[]),
            "cannot send mail through `h`: to nobody"
        );
        let ca = |server: &str, pem: &str| {
            let email = Email::new(server, "a@b.c", ["a@b.c"]).unwrap();
            email.ca(pem).map(|_| ()).unwrap_err().to_string()
        };
        assert_eq!(
            ca("smtp://u:s3cret@h", ""),
            "cannot use the `ca` of mail through `h`: its url asks for no TLS; take `smtps://`, or `smtp://…?tls=required`"
        );
        assert_eq!(
            ca("smtps://u:s3cret@h", "ca.pem"),
            "cannot use the `ca` of mail through `h`: it holds no certificate in PEM"
        );
        let debug = format!("{:?}", email().credentials("u", "s3cret"));
        assert_eq!(debug, "Email { host: \"h\", to: 1 }");
        assert_eq!(format!("{:?}", email()), "Email { host: \"h\", to: 1 }");
    }
}
