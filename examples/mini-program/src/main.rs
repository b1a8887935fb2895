//! The back end of a mini-program shop, its visitors, its payment channel and its incident.
//!
//! `cargo run -p mini-program`: a calm, a storm, a recovery; then the incident card and the summary.
#![forbid(unsafe_code)]

mod args;
mod call;
mod card;
mod catalog;
mod channel;
mod counts;
mod crash;
mod dice;
mod house;
mod login;
mod notify;
mod oncall;
mod orders;
mod pay;
mod people;
mod platform;
mod readback;
mod refusal;
mod schema;
mod screen;
mod seal;
mod services;
mod shop;
mod store;
mod story;
mod summary;
mod token;
mod trace;
mod visitors;
mod weather;
mod wiring;

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use serde_json::json;

use crate::args::{Args, Life};
use crate::card::Card;
use crate::house::House;
use crate::readback::Book;
use crate::summary::Summary;

#[tokio::main]
async fn main() -> ExitCode {
    let mut screen = std::io::stdout();
    let done = match Args::parse(std::env::args().skip(1)) {
        Ok(Some(args)) if args.life == Life::Both => crash::run(args, &mut screen).await,
        Ok(Some(args)) => run(&args, None, &mut screen).await,
        Ok(None) => writeln!(screen, "{}", args::USAGE)
            .map(|()| Vec::new())
            .map_err(Into::into),
        Err(wrong) => Err(wrong.into()),
    };
    let wrong = done.unwrap_or_else(|error| vec![chain(&*error)]);
    for line in &wrong {
        // Nobody is left to tell if stderr is gone.
        let _ = writeln!(std::io::stderr(), "mini-program: {line}");
    }
    if wrong.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// One run, from the open door to the summary. Returns what went wrong without stopping it.
async fn run(
    args: &Args,
    accepted: Option<u64>,
    screen: &mut dyn Write,
) -> Result<Vec<String>, Box<dyn Error>> {
    let house = House::open(args).await?;
    welcome(args, &house, screen)?;
    let mut wrong = Vec::new();
    let told = if args.traffic {
        let stage = &house.stage;
        let shown = screen::show(
            stage.act.subscribe(),
            stage.counts.clone(),
            stage.desk.clone(),
        );
        let played = tokio::select! {
            never = crash::in_the_storm(args.life, &house) => match never {},
            played = stage.play() => played,
            () = dogwatch::stopped() => Err("stopped before the end of the story".to_owned()),
            () = shown => unreachable!("the screen shows until it is dropped"),
        };
        played.map_err(|sentence| wrong.push(sentence)).is_ok()
    } else {
        dogwatch::stopped().await;
        false
    };
    if told && !house.quiet().await? {
        wrong.push("an alert that came at the end still fires".to_owned());
    }
    let (logs, desk, tally) = (
        house.logs.clone(),
        house.stage.desk.clone(),
        house.stage.counts.clone(),
    );
    let closed = house.close().await?;
    let book = Book::read(&logs)?;
    writeln!(screen)?;
    if told {
        let card = Card::new(&desk.pages(), &tally.now(), &book, &logs)?;
        writeln!(screen, "{card}")?;
    }
    let summary = Summary::new(&tally.now(), &closed, &book, accepted);
    write!(screen, "{summary}")?;
    if told {
        wrong.extend(summary.contradictions());
    }
    Ok(wrong)
}

fn welcome(args: &Args, house: &House, screen: &mut dyn Write) -> std::io::Result<()> {
    let (shop, logs) = (&house.shop, house.logs.display());
    writeln!(screen, "shop     {shop}/api/products")?;
    writeln!(screen, "metrics  {shop}/metrics")?;
    writeln!(screen, "firing   {shop}/alerts")?;
    writeln!(
        screen,
        "logs     {logs}/{} and the rolled files beside it",
        readback::LOG
    )?;
    writeln!(screen, "alerts   {logs}/{}", house::ALERTS)?;
    if !args.traffic {
        let customer = people::person(1);
        let body = json!({ "phone": customer.phone, "password": customer.password });
        writeln!(screen, "log in   curl {shop}/api/login --json '{body}'")?;
        writeln!(screen, "stop     Ctrl-C")?;
    }
    Ok(())
}

/// An error and its causes as one line.
fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line += &format!(": {error}");
        cause = error.source();
    }
    line
}
